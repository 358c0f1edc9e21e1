"""Was the run what it was meant to be? Each guard looks at one way in which a run says nothing about the client. Pure.

A guard that is broken makes the verdict inconclusive. What cannot be checked is broken, never skipped in silence: a
guard that does not apply (a simulated run has no load generator to fall behind) is left out of the list.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt, Health
from mockbot.evidence.tally import LATE, Tally
from mockbot.scenario.spans import FaultSpan

REMEDY = "use --processes, a lower speed or fewer users"
MIN_PROMPTS = 20  # fewer say too little about a share
LAG = LATE  # p99 (research: a run with more than 50 ms is marked invalid)
LATE_PROMPTS = 0.01  # share of them that may be sent later than that: more is a p99 of more
SLOW = 1.0  # wall seconds by which a change may be confirmed late
SLOW_SHARE = 0.25  # and of its fault's length
BUSY_CORE, BUSY_MACHINE = 0.95, 0.97
SELDOM, MOSTLY = 0.05, 0.5  # shares of the health samples: of an hour, 3 minutes and half an hour


@dataclass(frozen=True, slots=True)
class GuardResult:
    """`says` is the reason when the guard is broken, and what was found when it is not."""

    name: str
    ok: bool
    says: str


def check_guards(evidence: RunEvidence, tally: Tally) -> tuple[GuardResult, ...]:
    """Every guard that applies to this run."""
    guest = evidence.info.client == "command"
    results = [_outlived(evidence) if guest else _ended(evidence), _data(tally), _journal(tally)]
    results += [*(() if guest else _phases(tally)), _pending(tally)]
    felt = [_felt(fault, evidence, tally) for fault in _scheduled(evidence, tally)]
    results += felt if not guest or not felt else [_felt_at_all(felt)]
    if not evidence.info.simulated:
        results += [_applied(fault, evidence) for fault in _scheduled(evidence, tally)]
        results.append(_other_actions(evidence))
    if not evidence.info.simulated and not guest and evidence.info.nodes > 0:
        results += [_lag(evidence, tally), _cpu(evidence)]
    return tuple(results)


def _ended(evidence: RunEvidence) -> GuardResult:
    info = evidence.info
    if info.ended != "completed":
        return GuardResult(
            "ended",
            ok=False,
            says=f"the run did not complete, it {_how(info.ended)}: {info.why or 'no reason was given'}",
        )
    if info.lost_nodes:
        return GuardResult(
            "ended",
            ok=False,
            says=f"{info.lost_nodes} of {info.nodes} load processes were lost, and what they saw with them",
        )
    if info.end < evidence.timeline.end - 1.0:
        says = f"the load stopped at {info.end:.0f} s, before the scenario's end at {evidence.timeline.end:.0f} s"
        return GuardResult("ended", ok=False, says=says)
    return GuardResult("ended", ok=True, says="the run completed")


def _outlived(evidence: RunEvidence) -> GuardResult:
    """A client that is not ours may leave early, but not before all that goes wrong is over."""
    over = max((fault.end for fault in evidence.timeline.faults), default=evidence.timeline.end)
    if evidence.info.ended != "completed" or evidence.info.end >= min(over, evidence.timeline.end):
        return _ended(replace(evidence, info=replace(evidence.info, end=evidence.timeline.end)))
    says = (
        f"the client left at {evidence.info.end:.0f} s, and something was wrong until {over:.0f} s: let it run longer"
    )
    return GuardResult("ended", ok=False, says=says)


def _how(ended: str) -> str:
    return {"interrupted": "was interrupted", "lost_worker": "lost a worker"}.get(ended, "failed")


def _data(tally: Tally) -> GuardResult:
    asked = tally.asked
    return GuardResult(
        "data",
        ok=asked > 0,
        says=f"{asked} prompts are on record" if asked else "no prompt is on record: no data is no success",
    )


def _journal(tally: Tally) -> GuardResult:
    bad = [line for line in tally.broken if not line.last]
    torn = [line for line in tally.broken if line.last]
    if not bad:
        says = (
            f"the last line of {torn[0].file} was torn when its writer was killed"
            if torn
            else "every line could be read"
        )
        return GuardResult("journal", ok=True, says=says)
    says = f"{tally.broken_count} lines cannot be read, the first is {bad[0].file}:{bad[0].line}: {bad[0].why}"
    return GuardResult("journal", ok=False, says=says)


def _phases(tally: Tally) -> Iterator[GuardResult]:
    """A phase needs prompts that were under way in it: where all users wait, few new ones are asked."""
    for index, phase in enumerate(tally.timeline.phases):
        if phase.start < tally.seen_until:
            yield _phase(phase.name, tally.alive[index])


def _phase(name: str, count: int) -> GuardResult:
    ok = count >= MIN_PROMPTS
    says = f"{count} prompts were under way in phase {name}"
    short = (
        f"phase {name} has too little data: {count} prompts where {MIN_PROMPTS} are needed; give it more users or time"
    )
    return GuardResult(f"data in {name}", ok=ok, says=says if ok else short)


def _pending(tally: Tally) -> GuardResult:
    says = f"{tally.pending_count} prompts were pending at the end"
    if not tally.overdue:
        return GuardResult("pending", ok=True, says=says)
    names = ", ".join(f"{prompt.id} since {prompt.intended:.0f} s" for prompt in tally.pending[:3])
    return GuardResult(
        "pending", ok=False, says=f"{says}, {tally.overdue} of them past their group's patience: {names}"
    )


def _scheduled(evidence: RunEvidence, tally: Tally) -> list[FaultSpan]:
    """The faults that should have held while the run was observed, and hit something."""
    faults = (fault for fault in evidence.timeline.faults if fault.start < min(tally.seen_until, evidence.timeline.end))
    return [fault for fault in faults if max(fault.fault.share.first, fault.fault.share.last) > 0]


def _felt(fault: FaultSpan, evidence: RunEvidence, tally: Tally) -> GuardResult:
    hits = tally.felt[fault.id]
    inferred = evidence.info.engine == "toxiproxy" and fault.fault.layer == "wire"  # the rule is in exposure.py
    says = (
        f"{fault.id} {'must have hit' if inferred else 'hit'} {hits} requests"
        if hits
        else f"no request felt {fault.id}, so nothing was tested there"
    )
    return GuardResult(f"felt {fault.id}", ok=hits > 0, says=says)


def _felt_at_all(each: list[GuardResult]) -> GuardResult:
    """One client cannot be where every share of a fault strikes; but it has to have been struck."""
    says = "; ".join(result.says for result in each if result.ok)
    return GuardResult("felt", ok=bool(says), says=says or f"the client felt nothing of it: {each[0].says}")


def _applied(fault: FaultSpan, evidence: RunEvidence) -> GuardResult:
    name = f"applied {fault.id}"
    mine = [action for action in evidence.actions if action.fault == fault.id]
    missing = {"begin", "end"} - {action.does for action in mine if action.confirmed is not None}
    for action in mine:
        if action.error is not None or action.confirmed is None:
            what = f"its {action.does} due at {action.due:.1f} s was not confirmed"
            return GuardResult(name, ok=False, says=f"{fault.id}: {what}: {action.error or 'no answer'}")
        if (late := action.confirmed - action.due) > _allowed(fault, evidence) and _mattered(action, fault, evidence):
            what = f"its {action.does} due at {action.due:.1f} s was confirmed {late:.1f} s late"
            return GuardResult(name, ok=False, says=f"{fault.id}: {what}")
    if missing:
        return GuardResult(name, ok=False, says=f"{fault.id}: its {' and '.join(sorted(missing))} was never confirmed")
    worst = max(((action.confirmed or 0.0) - action.due for action in mine), default=0.0)
    return GuardResult(name, ok=True, says=f"{fault.id} began and ended as planned, at most {worst:.1f} s late")


def _allowed(fault: FaultSpan, evidence: RunEvidence) -> float:
    """Scenario seconds by which a change of this fault may be late."""
    late = SLOW * evidence.info.speed
    guest = evidence.info.client == "command"  # whether it felt the fault is what counts, not for how long
    return late if guest else min(late, SLOW_SHARE * (fault.end - fault.start))


def _mattered(late: Action, fault: FaultSpan, evidence: RunEvidence) -> bool:
    """A crowd asks all the time. One client, of whom the guard `felt` knows that it was struck, has a right to a phase
    without what should have been over before it: an end that came late counts when it asked in that phase meanwhile.
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


def _other_actions(evidence: RunEvidence) -> GuardResult:
    """The status page and whatever else the driver changes."""
    faults = {fault.id for fault in evidence.timeline.faults}
    failed = [action for action in evidence.actions if action.fault not in faults and _failed(action)]
    says = (
        f"{failed[0].fault} could not be changed at {failed[0].due:.1f} s: {failed[0].error or 'no answer'}"
        if failed
        else "all confirmed"
    )
    return GuardResult("other actions", ok=not failed, says=says)


def _failed(action: Action) -> bool:
    return action.error is not None or action.confirmed is None


def _lag(evidence: RunEvidence, tally: Tally) -> GuardResult:
    """By the prompts themselves, and by what the generator says of its own loop."""
    if not evidence.health:
        return GuardResult("generator lag", ok=False, says="the load generator left no word on how well it kept up")
    late = tally.sent_late / max(1, tally.asked)
    slow = _share(evidence.health, lambda sample: sample.lag_p99 > LAG)
    says = f"{100 * late:.1f} % of the prompts were sent late, and in {100 * slow:.0f} % of its samples it was late"
    ok = late <= LATE_PROMPTS and slow <= SELDOM
    return GuardResult(
        "generator lag",
        ok=ok,
        says=says if ok else f"the load generator fell behind its schedule by more than 50 ms: {says}; {REMEDY}",
    )


def _cpu(evidence: RunEvidence) -> GuardResult:
    """A full core stops the generator; a full machine only matters where the generator's loop felt it."""
    core = _share(evidence.health, lambda sample: sample.cpu >= BUSY_CORE)
    machine = _share(evidence.health, lambda sample: sample.machine_cpu >= BUSY_MACHINE)
    stuck = _share(evidence.health, lambda sample: sample.loop_lag_p99 > LAG)
    ok = core <= MOSTLY and (machine <= MOSTLY or stuck <= SELDOM)
    says = f"the generator's core was full in {100 * core:.0f} % of the samples, the machine in {100 * machine:.0f} %"
    return GuardResult(
        "machine",
        ok=ok,
        says=says if ok else f"the machine has too little CPU for this run: {says}; {REMEDY}",
    )


def _share(samples: tuple[Health, ...], holds: Callable[[Health], bool]) -> float:
    return sum(map(holds, samples)) / len(samples) if samples else 0.0
