"""Was the run what it was meant to be? Each check looks at one way in which a run says nothing about the client. Pure.

A check that fails makes the verdict inconclusive. What cannot be checked fails and is never skipped in silence; a check
that does not apply (a simulated run has no load generator to fall behind) is left out of the list.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt, Health
from mockbot.evidence.run_counters import LATE, RunCounters
from mockbot.scenario.spans import FaultSpan
from mockbot.units.formatting import format_percent, format_seconds

REMEDY = "use --processes, a lower speed or fewer users"
MIN_PROMPTS = 20  # fewer say too little about a share
LAG = LATE  # p99 (research: a run with more than 50 ms is marked invalid)
LATE_PROMPTS = 0.01  # share of them that may be sent later than that: more is a p99 of more
SLOW = 1.0  # wall seconds by which a change may be confirmed late
SLOW_SHARE = 0.25  # and of its fault's length
BUSY_CORE, BUSY_MACHINE = 0.95, 0.97
SELDOM, MOSTLY = 0.05, 0.5  # shares of the health samples: of an hour, 3 minutes and half an hour

_HOW_IT_ENDED = {"interrupted": "was interrupted", "lost_worker": "lost a worker"}


@dataclass(frozen=True, slots=True)
class ValidityCheck:
    """`says` is the reason when the check failed, and what was found when it did not."""

    name: str
    ok: bool
    says: str


def check_validity(evidence: RunEvidence, counters: RunCounters) -> tuple[ValidityCheck, ...]:
    """Every check that applies to this run."""
    external = evidence.info.client == "command"
    results = [_outlived(evidence) if external else _ended(evidence), _data(counters), _journal(counters)]
    results += [*(() if external else _phases(counters)), _pending(counters)]
    scheduled = _scheduled(evidence, counters)
    felt = [_felt(fault, evidence, counters) for fault in scheduled]
    results += felt if not external or not felt else [_felt_at_all(felt)]
    if not evidence.info.simulated:
        results += [_applied(fault, evidence) for fault in scheduled]
        results.append(_other_actions(evidence))
    if not evidence.info.simulated and not external and evidence.info.nodes > 0:
        results += [_lag(evidence, counters), _cpu(evidence)]
    return tuple(results)


def _ended(evidence: RunEvidence) -> ValidityCheck:
    info, end = evidence.info, evidence.timeline.end
    problem = None
    if info.ended != "completed":
        how = _HOW_IT_ENDED.get(info.ended, "failed")
        problem = f"the run did not complete, it {how}: {info.why or 'no reason was given'}"
    elif info.lost_nodes:
        problem = f"{info.lost_nodes} of {info.nodes} load processes were lost, and what they saw with them"
    elif info.end < end - 1.0:
        stopped = format_seconds(info.end)
        problem = f"the load stopped at {stopped}, before the scenario's end at {format_seconds(end)}"
    return ValidityCheck("ended", ok=problem is None, says=problem or "the run completed")


def _outlived(evidence: RunEvidence) -> ValidityCheck:
    """An external client may leave early, but not before the last fault is over."""
    over = max((fault.end for fault in evidence.timeline.faults), default=evidence.timeline.end)
    if evidence.info.ended != "completed" or evidence.info.end >= min(over, evidence.timeline.end):
        return _ended(replace(evidence, info=replace(evidence.info, end=evidence.timeline.end)))
    left, wrong = format_seconds(evidence.info.end), format_seconds(over)
    says = f"the client left at {left}, and something was wrong until {wrong}: let it run longer"
    return ValidityCheck("ended", ok=False, says=says)


def _data(counters: RunCounters) -> ValidityCheck:
    asked = counters.asked
    says = f"{asked} prompts are on record" if asked else "no prompt is on record: no data is no success"
    return ValidityCheck("data", ok=asked > 0, says=says)


def _journal(counters: RunCounters) -> ValidityCheck:
    bad = next((line for line in counters.broken if not line.last), None)
    torn = next((line for line in counters.broken if line.last), None)
    if bad is not None:
        says = f"{counters.broken_count} lines cannot be read, the first is {bad.file}:{bad.line}: {bad.why}"
    elif torn is not None:
        says = f"the last line of {torn.file} was torn when its writer was killed"
    else:
        says = "every line could be read"
    return ValidityCheck("journal", ok=bad is None, says=says)


def _phases(counters: RunCounters) -> Iterator[ValidityCheck]:
    """A phase needs prompts that were under way in it: where all users wait, few new ones are asked."""
    for index, phase in enumerate(counters.timeline.phases):
        if phase.start >= counters.seen_until:
            continue
        count = counters.alive[index]
        says = f"{count} prompts were under way in phase {phase.name}"
        if count < MIN_PROMPTS:
            needed = f"{count} prompts where {MIN_PROMPTS} are needed; give it more users or time"
            says = f"phase {phase.name} has too little data: {needed}"
        yield ValidityCheck(f"data in {phase.name}", ok=count >= MIN_PROMPTS, says=says)


def _pending(counters: RunCounters) -> ValidityCheck:
    says = f"{counters.pending_count} prompts were pending at the end"
    if counters.overdue:
        names = ", ".join(f"{each.id} since {format_seconds(each.intended)}" for each in counters.pending[:3])
        says += f", {counters.overdue} of them past their group's patience: {names}"
    return ValidityCheck("pending", ok=not counters.overdue, says=says)


def _scheduled(evidence: RunEvidence, counters: RunCounters) -> list[FaultSpan]:
    """The faults that should have held while the run was observed, and hit something."""
    seen = min(counters.seen_until, evidence.timeline.end)
    return [fault for fault in evidence.timeline.faults if fault.start < seen and fault.fault.share.most > 0]


def _felt(fault: FaultSpan, evidence: RunEvidence, counters: RunCounters) -> ValidityCheck:
    hits = counters.felt[fault.id]
    inferred = evidence.info.engine == "toxiproxy" and fault.fault.layer == "wire"  # the rule is in exposure.py
    says = f"no request felt {fault.id}, so nothing was tested there"
    if hits:
        says = f"{fault.id} {'must have hit' if inferred else 'hit'} {hits} requests"
    return ValidityCheck(f"felt {fault.id}", ok=hits > 0, says=says)


def _felt_at_all(each: list[ValidityCheck]) -> ValidityCheck:
    """One client cannot feel every share of every fault, but it must have felt one."""
    says = "; ".join(result.says for result in each if result.ok)
    return ValidityCheck("felt", ok=bool(says), says=says or f"the client felt nothing of it: {each[0].says}")


def _applied(fault: FaultSpan, evidence: RunEvidence) -> ValidityCheck:
    name = f"applied {fault.id}"
    mine = [action for action in evidence.actions if action.fault == fault.id]
    for action in mine:
        due = f"{fault.id}: its {action.does} due at {format_seconds(action.due, 1)}"
        if action.error is not None or action.confirmed is None:
            return ValidityCheck(name, ok=False, says=f"{due} was not confirmed: {action.error or 'no answer'}")
        if (late := action.confirmed - action.due) > _allowed(fault, evidence) and _mattered(action, fault, evidence):
            return ValidityCheck(name, ok=False, says=f"{due} was confirmed {format_seconds(late, 1)} late")
    if missing := {"begin", "end"} - {action.does for action in mine}:
        says = f"{fault.id}: its {' and '.join(sorted(missing))} was never confirmed"
        return ValidityCheck(name, ok=False, says=says)
    worst = format_seconds(max(((action.confirmed or 0.0) - action.due for action in mine), default=0.0), 1)
    return ValidityCheck(name, ok=True, says=f"{fault.id} began and ended as planned, at most {worst} late")


def _allowed(fault: FaultSpan, evidence: RunEvidence) -> float:
    """Scenario seconds by which a change of this fault may be late."""
    late = SLOW * evidence.info.speed
    external = evidence.info.client == "command"  # whether it felt the fault is what counts, not for how long
    return late if external else min(late, SLOW_SHARE * (fault.end - fault.start))


def _mattered(late: Action, fault: FaultSpan, evidence: RunEvidence) -> bool:
    """Whether a late change disturbed the client.

    A crowd asks all the time. A single external client, of which the check `felt` knows that it felt the fault, is
    disturbed only by an end that came late, and only if it asked in the next phase before that end.
    """
    if evidence.info.client != "command":
        return True
    starts = (phase.start for phase in evidence.timeline.phases)
    next_phase = min((start for start in starts if start >= late.due), default=evidence.timeline.end)
    return late.does == "end" and any(
        next_phase <= line.start < (late.confirmed or 0.0)
        for line in evidence.requests()
        if isinstance(line, Attempt) and line.provider == fault.provider
    )


def _other_actions(evidence: RunEvidence) -> ValidityCheck:
    """The status page and whatever else the driver changes."""
    faults = {fault.id for fault in evidence.timeline.faults}
    for action in evidence.actions:
        if action.fault not in faults and (action.error is not None or action.confirmed is None):
            due, why = format_seconds(action.due, 1), action.error or "no answer"
            says = f"{action.fault} could not be changed at {due}: {why}"
            return ValidityCheck("other actions", ok=False, says=says)
    return ValidityCheck("other actions", ok=True, says="all confirmed")


def _lag(evidence: RunEvidence, counters: RunCounters) -> ValidityCheck:
    """By the prompts themselves, and by what the generator recorded of its own loop."""
    if not evidence.health:
        return ValidityCheck("generator lag", ok=False, says="no load-generator health samples were recorded")
    late = counters.sent_late / max(1, counters.asked)
    slow = _share(evidence.health, lambda sample: sample.lag_p99 > LAG)
    sent, samples = format_percent(late, 1), format_percent(slow)
    says = f"{sent} of the prompts were sent late, and in {samples} of its samples it was late"
    ok = late <= LATE_PROMPTS and slow <= SELDOM
    behind = f"the load generator fell behind its schedule by more than 50 ms: {says}; {REMEDY}"
    return ValidityCheck("generator lag", ok=ok, says=says if ok else behind)


def _cpu(evidence: RunEvidence) -> ValidityCheck:
    """A full core stops the generator; a full machine only matters where the generator's loop felt it."""
    core = _share(evidence.health, lambda sample: sample.cpu >= BUSY_CORE)
    machine = _share(evidence.health, lambda sample: sample.machine_cpu >= BUSY_MACHINE)
    stuck = _share(evidence.health, lambda sample: sample.loop_lag_p99 > LAG)
    ok = core <= MOSTLY and (machine <= MOSTLY or stuck <= SELDOM)
    full = format_percent(core), format_percent(machine)
    says = f"the generator's core was full in {full[0]} of the samples, the machine in {full[1]}"
    return ValidityCheck(
        "machine", ok=ok, says=says if ok else f"the machine has too little CPU for this run: {says}; {REMEDY}"
    )


def _share(samples: tuple[Health, ...], holds: Callable[[Health], bool]) -> float:
    return sum(map(holds, samples)) / len(samples) if samples else 0.0
