"""A run's evidence in, the results of its validity checks out. Pure.

Each check looks at one way in which a run says nothing about the client. One that fails makes the verdict inconclusive.
What cannot be checked fails and is never skipped; a check that does not apply (a simulated run has no load generator
that could fall behind) yields nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from mockbot.evidence.exposure import is_inferred
from mockbot.evidence.integrity import REMEDY as DAMAGED
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import WAY_TO, Action, Attempt, Health
from mockbot.evidence.run_counters import LATE, RunCounters
from mockbot.evidence.unserved import leads_elsewhere, not_given
from mockbot.evidence.worker_clocks import clock_problem, clocks_in_words
from mockbot.scenario.shorten import MIN_PROMPTS
from mockbot.scenario.spans import FaultSpan
from mockbot.units.formatting import format_clock, format_counted, format_duration, format_percent, format_wall

REMEDY = "use --processes, a lower speed or fewer users"
LAG = LATE  # p99 (research: a run with more than 50 ms is marked invalid)
LATE_PROMPTS = 0.01  # share of the prompts that may be sent later than LAG, since LAG is a p99
SLOW = 1.0  # wall seconds by which a change may be confirmed late
SLOW_SHARE = 0.25  # and of its fault's length
BUSY_CORE, BUSY_MACHINE = 0.95, 0.97
HUNG = 2.0  # wall seconds for which a process may stand still, or a look at it may take
SELDOM, MOSTLY = 0.05, 0.5  # shares of the health samples: of an hour, 3 minutes and half an hour
# Of a client that does not read HTTPS_PROXY, and of one with certificates of its own; docs/interception.md has more.
BYPASS = (
    "aiohttp needs trust_env=True; Node's fetch needs Node 22.21 or 24, or undici's EnvHttpProxyAgent; "
    "a host of the client's own needs --intercept-host HOST=PROVIDER; for others set a base URL, without --intercept"
)
PINNED = "it brings its own list of CAs or pins a certificate; let it read SSL_CERT_FILE, or set a base URL"

_HOW_IT_ENDED = {"interrupted": "was interrupted", "lost_worker": "lost a worker"}


@dataclass(frozen=True, slots=True)
class ValidityCheck:
    """The result of one check. `says`: the reason when it failed, and what was found when it did not."""

    name: str
    ok: bool
    says: str


def check_validity(evidence: RunEvidence, counters: RunCounters) -> tuple[ValidityCheck, ...]:
    """The results of every check that applies to this run."""
    return tuple(result for check in CHECKS for result in check(evidence, counters))


def ended(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """The run completed; an external client may end early, but not before the last fault is over."""
    info, timeline = evidence.info, evidence.timeline
    problem = None
    if info.ended != "completed":
        how = _HOW_IT_ENDED.get(info.ended, "failed")
        problem = f"the run did not complete, it {how}: {info.why or 'no reason was given'}"
    elif info.client == "command":
        over = max((fault.end for fault in timeline.faults), default=timeline.end)
        if info.end < min(over, timeline.end):
            left, wrong = format_clock(info.end), format_clock(over)
            problem = f"the client left at {left}, and something was wrong until {wrong}: let it run longer"
    if problem is None and info.lost_nodes:
        problem = f"{info.lost_nodes} of {info.nodes} load processes were lost, together with their records"
    if problem is None and info.client != "command" and info.end < timeline.end - 1.0:
        stopped = format_clock(info.end)
        problem = f"the load stopped at {stopped}, before the scenario's end at {format_clock(timeline.end)}"
    yield ValidityCheck("ended", ok=problem is None, says=problem or "the run completed")


def data(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """There are prompts."""
    asked = counters.asked
    nothing = f"no prompt is on record: no data is no success{leads_elsewhere(evidence.info.elsewhere)}"
    says = f"prompts on record: {asked}" if asked else nothing
    yield ValidityCheck("data", ok=asked > 0, says=says)


def intercepted(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """A client that is intercepted used the forward proxy for a provider's host, and trusts the run's CA."""
    if (seen := evidence.info.intercepted) is None:
        return
    says = f"CONNECT requests for {', '.join(f'{host} ({n})' for host, n in seen.connects.items())}"
    if not seen.connects:
        passed = f" (it was asked for {', '.join([*seen.passed][:3])})" if seen.passed else ""
        says = (
            f"the proxy was asked for no provider's host{passed}, so the client went past it or asked nobody: {BYPASS}"
        )
        if seen.strangers:
            refused = format_counted(seen.strangers, "request")
            says = f"the proxy refused {refused} of another user of this machine: run the client as your own user"
    elif seen.distrusted:
        ended_by_client = format_counted(seen.distrusted, "connection")
        says = f"{ended_by_client} ended because the client does not trust the run's CA: {PINNED}"
    yield ValidityCheck("intercepted", ok=bool(seen.connects) and not seen.distrusted, says=says)


def journal(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The records are those that the run wrote; only of a run that did not complete the last line may be torn."""
    bad = next((line for line in counters.broken if not line.last), None)
    torn = next((line for line in counters.broken if line.last), None)
    completed = evidence.info.ended == "completed"
    ok, says = False, counters.tampered or "every record that was written is there"
    if bad is not None:
        first = f"the first is {bad.file}:{bad.line}: {bad.why}"
        says = f"{counters.broken_count} lines cannot be read, {first}: {DAMAGED}"
    elif torn is not None and completed:
        says = f"the last line of {torn.file} is torn, though the run completed: {DAMAGED}"
    elif counters.tampered is None:
        ok = True
        if torn is not None:
            says = f"the last line of {torn.file} was torn when its writer was killed"
    yield ValidityCheck("journal", ok=ok, says=says)


def data_in_phases(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Each phase has prompts in progress: where all users wait for answers, hardly any new prompt begins."""
    for index, phase in enumerate(evidence.timeline.phases):
        if evidence.info.client == "command" or phase.start >= counters.observed_until:
            continue
        count = counters.alive[index]
        says = f"prompts under way in phase {phase.name}: {count}"
        if count < MIN_PROMPTS:
            needed = f"{format_counted(count, 'prompt')} where {MIN_PROMPTS} are needed; give it more users or time"
            says = f"phase {phase.name} has too little data: {needed}"
        yield ValidityCheck(f"data in {phase.name}", ok=count >= MIN_PROMPTS, says=says)


def pending(_: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """No prompt is pending for longer than its group's patience."""
    says = f"pending at the end: {format_counted(counters.pending_count, 'prompt')}"
    if counters.overdue:
        names = ", ".join(f"{each.id} since {format_clock(each.intended)}" for each in counters.pending[:3])
        says += f", {counters.overdue} of them past their group's patience: {names}"
    yield ValidityCheck("pending", ok=not counters.overdue, says=says)


def felt(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Each fault hit a request; at least one did of an external client, which may send few, and through a system, which
    may stay away from a provider that has failed.
    """
    results = []
    for fault in _scheduled(evidence, counters):
        hits = counters.felt[fault.id]
        remedy = f"let requests reach {fault.provider} while it holds, and let it change or delay something"
        says = f"no request felt {fault.id}, so nothing was tested there; {remedy}"
        if hits:
            verb = "must have hit" if is_inferred(evidence, fault) else "hit"
            says = f"{fault.id} {verb} {format_counted(hits, 'request')}"
        results.append(ValidityCheck(f"felt {fault.id}", ok=hits > 0, says=says))
    if (evidence.info.client == "command" or evidence.info.system) and results:
        says = "; ".join(result.says for result in results if result.ok)
        results = [ValidityCheck("felt", ok=bool(says), says=says or f"the client felt no fault: {results[0].says}")]
    yield from results


def system_reached(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The system under test asked the providers, and its answers can be read."""
    if counters.joined is None:
        return
    name, upstream = evidence.info.system, sum(counters.joined.ways.values()) + sum(counters.joined.alone.values())
    says = f"{name} sent {upstream} requests to the providers"
    if not upstream:
        says = f"no provider got a request: {name} answers by itself, or asks somebody else; does it use {{main.url}}?"
    yield ValidityCheck("system reached", ok=upstream > 0, says=says)
    unreadable = [each.begins for each in evidence.answers if each.begins and each.end == "broken" and not each.words]
    says = f"{len(unreadable)} of {len(evidence.answers)} answers of {name} could not be read"
    if unreadable:
        says += f": {unreadable[0]}"
    yield ValidityCheck("system readable", ok=2 * len(unreadable) <= len(evidence.answers), says=says)


def applied(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Each begin and end of a fault was confirmed, and in time."""
    if evidence.info.simulated:
        return
    for fault in _scheduled(evidence, counters):
        actions = [action for action in evidence.actions if action.fault == fault.id]
        problem = None
        for action in actions:
            due = f"{fault.id}: its {action.does} due at {format_clock(action.due, 1)}"
            if action.error is not None or action.confirmed is None:
                problem = f"{due} was not confirmed: {action.error or 'no answer'}"
            elif _disturbed(late := action.confirmed - action.due, action, fault, evidence):
                problem = f"{due} was confirmed {format_duration(late)} late"
            if problem:
                break
        if not problem and (missing := {"begin", "end"} - {action.does for action in actions}):
            problem = f"{fault.id}: its {' and '.join(sorted(missing))} was never confirmed"
        worst = format_duration(max(((action.confirmed or 0.0) - action.due for action in actions), default=0.0))
        says = problem or f"{fault.id} began and ended as planned, at most {worst} late"
        yield ValidityCheck(f"applied {fault.id}", ok=not problem, says=says)


def _scheduled(evidence: RunEvidence, counters: RunCounters) -> list[FaultSpan]:
    """The faults that begin in the observed time."""
    until = min(counters.observed_until, evidence.timeline.end)
    return [fault for fault in evidence.timeline.faults if fault.start < until]


def _disturbed(late: float, action: Action, fault: FaultSpan, evidence: RunEvidence) -> bool:
    """Whether a change that was confirmed so many scenario seconds late disturbed the client.

    A crowd sends requests all the time. A single external client, of which the check `felt` shows that it felt the
    fault, is disturbed only by an end that came late, and only if it sent a request in the next phase before that end.
    """
    allowed = SLOW * evidence.info.speed
    if evidence.info.client != "command":
        return late > min(allowed, SLOW_SHARE * (fault.end - fault.start))
    if late <= allowed or action.does != "end":
        return False
    starts = (phase.start for phase in evidence.timeline.phases)
    next_phase = min((start for start in starts if start >= action.due), default=evidence.timeline.end)
    return any(
        next_phase <= line.start < (action.confirmed or 0.0)
        for line in evidence.requests()
        if isinstance(line, Attempt) and line.provider == fault.provider
    )


def other_actions(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """Every change that belongs to no fault was confirmed, such as those of the status page."""
    if evidence.info.simulated:
        return
    faults = {fault.id for fault in evidence.timeline.faults}
    for action in evidence.actions:
        if action.does == "look" or action.fault in faults:
            continue
        if action.error is not None or action.confirmed is None:
            due, why = format_clock(action.due, 1), action.error or "no answer"
            yield ValidityCheck("other actions", ok=False, says=f"{action.fault} could not be changed at {due}: {why}")
            return
    yield ValidityCheck("other actions", ok=True, says="all confirmed")


def lag(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The load generator kept to its schedule, by the prompts' own times and by the delay of its event loop."""
    if not _generates_load(evidence):
        return
    if not evidence.health:
        yield ValidityCheck("generator lag", ok=False, says="no load-generator health samples were recorded")
        return
    late = counters.sent_late / max(1, counters.asked)
    slow = _share(evidence.health, lambda sample: sample.lag_p99 > LAG)
    sent, samples = format_percent(late, 1), format_percent(slow)
    says = f"{sent} of the prompts were sent late, and in {samples} of its samples it was late"
    ok = late <= LATE_PROMPTS and slow <= SELDOM
    behind = f"the load generator fell behind its schedule by more than 50 ms: {says}; {REMEDY}"
    yield ValidityCheck("generator lag", ok=ok, says=says if ok else behind)


def cpu(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """The CPU sufficed: no full core for the generator, and no full machine that delayed its event loop."""
    if not _generates_load(evidence):
        return
    core = _share(evidence.health, lambda sample: sample.cpu >= BUSY_CORE)
    full = _share(evidence.health, lambda sample: sample.machine_cpu >= BUSY_MACHINE)
    stuck = _share(evidence.health, lambda sample: sample.loop_lag_p99 > LAG)
    ok = core <= MOSTLY and (full <= MOSTLY or stuck <= SELDOM)
    shares = format_percent(core), format_percent(full)
    says = f"the generator's core was full in {shares[0]} of the samples, the machine in {shares[1]}"
    too_busy = f"the machine has too little CPU for this run: {says}; {REMEDY}"
    yield ValidityCheck("machine", ok=ok, says=says if ok else too_busy)


def clocks(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """The times of workers on other machines are those of the master's clock, from the first second to the last."""
    if all_clocks := evidence.info.clocks:
        problem = clock_problem(all_clocks)
        yield ValidityCheck("clocks", ok=problem is None, says=problem or clocks_in_words(all_clocks))


def testbed(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """Service and proxy could be asked at any time, and no process of the run stood still for HUNG wall seconds."""
    if evidence.info.simulated:
        return
    problems = []
    for action in evidence.actions:
        took = ((action.confirmed or 0.0) - action.sent) / evidence.info.speed
        if action.does == "look" and (action.error is not None or took >= HUNG):
            why = action.error or f"took {format_wall(took)} to answer"
            says = f"the {action.fault} failed at {format_clock(action.sent, 1)}: {why}"
            problems.append((action.fault.startswith(WAY_TO), says))
    # The way to a provider leads through proxy and service: what these two say of themselves explains more.
    problem = min(problems, key=itemgetter(0), default=(False, None))[1]
    hung = next((sample for sample in evidence.health if sample.loop_lag_p99 >= HUNG - 0.1), None)  # minus its SLEEP
    if problem is None and hung is not None:
        stood = f"stood still for {format_wall(hung.loop_lag_p99)} before {format_clock(hung.t, 1)}"
        problem = f"the load process {hung.node} {stood}; {REMEDY}"
    says = f"{problem}; see the logs in the run folder, and run again" if problem else "it answered at every look"
    yield ValidityCheck("testbed", ok=problem is None, says=says)


def requests_arrived(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Where no fault kept them away, the crowd's requests reached their provider."""
    if not _generates_load(evidence) or evidence.info.system:
        return
    problem = None
    for provider, lost, since in counters.lost.found():
        never = f"{format_counted(lost, 'request')} never reached {provider}, from {format_clock(since)} on"
        problem = (
            f"{never}, though no fault kept them away: look for dropped packets and closed connections, and run again"
        )
        break
    yield ValidityCheck("requests arrived", ok=problem is None, says=problem or "every request reached its provider")


def answers_given(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Every request that was to get a real or a recorded answer got one, or a fault instead."""
    if all(provider.makes_answers for provider in evidence.scenario.providers.values()):
        return
    told = "; ".join(not_given(counters.unserved))
    yield ValidityCheck("answers given", ok=not told, says=told or "no request lacked its real or recorded answer")


def _generates_load(evidence: RunEvidence) -> bool:
    return not evidence.info.simulated and evidence.info.client != "command" and evidence.info.nodes > 0


def _share(samples: tuple[Health, ...], holds: Callable[[Health], bool]) -> float:
    return sum(map(holds, samples)) / len(samples) if samples else 0.0


_Check = Callable[[RunEvidence, RunCounters], Iterator[ValidityCheck]]
CHECKS: tuple[_Check, ...] = (
    ended, testbed, clocks, intercepted, data, journal, requests_arrived, answers_given, data_in_phases, pending,
    system_reached, felt,
    applied, other_actions, lag, cpu,
)  # fmt: skip
