"""A run's evidence in, the results of its validity checks out. Pure.

Each check looks at one way in which a run says nothing about the client. One that fails makes the verdict inconclusive.
What cannot be checked fails and is never skipped; a check that does not apply (a simulated run has no load generator
that could fall behind) yields nothing.
"""

from collections.abc import Callable, Iterator

from mockbot.evidence.exposure import is_inferred
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.testbed_checks import answers_given, clocks, cpu, lag, requests_arrived, testbed
from mockbot.evidence.unserved import leads_elsewhere
from mockbot.evidence.validity import LOGS, SEE_LOGS, Problem, ValidityCheck, checked
from mockbot.scenario.shorten import MIN_PROMPTS
from mockbot.scenario.spans import FaultSpan
from mockbot.units.formatting import format_clock, format_count, format_counted, format_duration

QUIETER = "run again on a machine with less other work"
SLOW = 1.0  # wall seconds by which a change may be confirmed late
SLOW_SHARE = 0.25  # and of its fault's length
# Of a client that does not read HTTPS_PROXY, and of one with certificates of its own; docs/interception.md has more.
BYPASS = (
    "aiohttp needs trust_env=True; Node's fetch needs Node 22.21 or 24, or undici's EnvHttpProxyAgent; "
    "a host of the client's own needs --intercept-host HOST=PROVIDER; for others set a base URL, without --intercept"
)
DAMAGED = "the files were changed or damaged after they were written"
PINNED = "it brings its own list of CAs or pins a certificate; let it read SSL_CERT_FILE, or set a base URL"

_HOW_IT_ENDED = {"interrupted": "was interrupted", "lost_worker": "lost a worker"}


def check_validity(evidence: RunEvidence, counters: RunCounters) -> tuple[ValidityCheck, ...]:
    """The results of every check that applies to this run."""
    return tuple(result for check in CHECKS for result in check(evidence, counters))


def ended(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """The run completed; an external client may end early, but not before the last fault is over."""
    info, timeline = evidence.info, evidence.timeline
    problem = None
    if info.ended != "completed":
        how = _HOW_IT_ENDED.get(info.ended, "failed")
        found = f"the run did not complete, it {how}: {info.why or 'no reason was given'}"
        problem = Problem(found, "let it run to its end" if info.ended == "interrupted" else SEE_LOGS)
    elif info.client == "command":
        over = max((fault.end for fault in timeline.faults), default=timeline.end)
        if info.end < min(over, timeline.end):
            left, wrong = format_clock(info.end), format_clock(over)
            found = f"the client left at {left}, and something was wrong until {wrong}"
            problem = Problem(found, "let it run longer, or shorten the outage with --length")
    if problem is None and info.lost_nodes:
        lost = f"{info.lost_nodes} of {info.nodes} load processes were lost, together with their records"
        problem = Problem(lost, LOGS)
    if problem is None and info.client != "command" and info.end < timeline.end - 1.0:
        stopped = format_clock(info.end)
        early = f"the load stopped at {stopped}, before the scenario's end at {format_clock(timeline.end)}"
        problem = Problem(early, LOGS)
    yield checked("ended", problem, "the run completed")


def data(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """There are prompts."""
    problem = None
    if not counters.asked:
        found = f"no prompt is on record: no data is no success{leads_elsewhere(evidence.info.elsewhere)}"
        ask = "let the client ask at the addresses in its environment, such as OPENAI_BASE_URL"
        problem = Problem(found, ask if evidence.info.client == "command" else "give the crowd more users or time")
    yield checked("data", problem, f"prompts on record: {format_count(counters.asked)}")


def intercepted(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """A client that is intercepted used the forward proxy for a provider's host, and trusts the run's CA."""
    if (seen := evidence.info.intercepted) is None:
        return
    problem = None
    if not seen.connects:
        passed = f" (it was asked for {', '.join([*seen.passed][:3])})" if seen.passed else ""
        found = f"the proxy was asked for no provider's host{passed}, so the client went past it or asked nobody"
        problem = Problem(found, BYPASS)
        if seen.strangers:
            refused = format_counted(seen.strangers, "request")
            found = f"the proxy refused {refused} of another user of this machine"
            problem = Problem(found, "run the client as your own user")
    elif seen.distrusted:
        ended_by_client = format_counted(seen.distrusted, "connection")
        problem = Problem(f"{ended_by_client} ended because the client does not trust the run's CA", PINNED)
    hosts = ", ".join(f"{host} ({n})" for host, n in seen.connects.items())
    yield checked("intercepted", problem, f"CONNECT requests for {hosts}")


def journal(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The records are those that the run wrote; only of a run that did not complete the last line may be torn."""
    bad = next((line for line in counters.broken if not line.last), None)
    torn = next((line for line in counters.broken if line.last), None)
    found, holds = counters.tampered, "every record that was written is there"
    if bad is not None:
        first = f"the first is {bad.file}:{bad.line}: {bad.why}"
        found = f"{counters.broken_count} lines cannot be read, {first}"
    elif torn is not None and evidence.info.ended == "completed":
        found = f"the last line of {torn.file} is torn, though the run completed"
    elif torn is not None:
        holds = f"the last line of {torn.file} was torn when its writer was killed"
    problem = Problem(f"{found}: {DAMAGED}", "run it again") if found else None
    yield checked("journal", problem, holds)


def data_in_phases(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Each phase has prompts in progress: where all users wait for answers, hardly any new prompt begins."""
    for index, phase in enumerate(evidence.timeline.phases):
        if evidence.info.client == "command" or phase.start >= counters.observed_until:
            continue
        count = counters.alive[index]
        problem = None
        if count < MIN_PROMPTS:
            needed = f"{format_counted(count, 'prompt')} where {MIN_PROMPTS} are needed"
            problem = Problem(f"phase {phase.name} has too little data: {needed}", "give it more users or time")
        yield checked(
            f"data in {phase.name}", problem, f"prompts under way in phase {phase.name}: {format_count(count)}"
        )


def pending(_: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """No prompt is pending for longer than its group's patience."""
    problem, says = None, f"pending at the end: {format_counted(counters.pending_count, 'prompt')}"
    if counters.overdue:
        names = ", ".join(f"{each.id} since {format_clock(each.intended)}" for each in counters.pending[:3])
        found = f"{says}, {counters.overdue} of them past their group's patience: {names}"
        problem = Problem(found, "give the client a time limit within its group's `patience`, or raise that")
    yield checked("pending", problem, says)


def felt(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Each fault hit a request; at least one did of an external client, which may send few, and through a system, which
    may stay away from a provider that has failed.
    """
    results, held, missed = list[ValidityCheck](), list[str](), list[Problem]()
    for fault in _scheduled(evidence, counters):
        hits = counters.felt[fault.id]
        remedy = f"let requests reach {fault.provider} while it holds, and let it change or delay something"
        problem = None if hits else Problem(f"no request felt {fault.id}, so nothing was tested there", remedy)
        verb = "must have hit" if is_inferred(evidence, fault) else "hit"
        holds = f"{fault.id} {verb} {format_counted(hits, 'request')}"
        missed.append(problem) if problem else held.append(holds)
        results.append(checked(f"felt {fault.id}", problem, holds))
    if (evidence.info.client == "command" or evidence.info.system) and results:
        none = None if held else Problem(f"the client felt no fault: {missed[0].found}", missed[0].remedy)
        results = [checked("felt", none, "; ".join(held))]
    yield from results


def system_reached(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The system under test asked the providers, and its answers can be read."""
    if counters.joined is None:
        return
    name, upstream = evidence.info.system, sum(counters.joined.ways.values()) + sum(counters.joined.alone.values())
    silent = f"no provider got a request: {name} answers by itself, or asks somebody else"
    problem = None if upstream else Problem(silent, "let its configuration use {main.url}")
    yield checked("system reached", problem, f"{name} sent {upstream} requests to the providers")
    unreadable = [each.begins for each in evidence.answers if each.begins and each.end == "broken" and not each.words]
    says = f"{len(unreadable)} of {len(evidence.answers)} answers of {name} could not be read"
    if unreadable:
        says += f": {unreadable[0]}"
    mostly = 2 * len(unreadable) > len(evidence.answers)
    yield checked("system readable", Problem(says, "correct `answer` in its file") if mostly else None, says)


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
                problem = Problem(f"{due} was not confirmed: {action.error or 'no answer'}", LOGS)
            elif _disturbed(late := action.confirmed - action.due, action, fault, evidence):
                problem = Problem(f"{due} was confirmed {format_duration(late)} late", QUIETER)
            if problem:
                break
        if not problem and (missing := {"begin", "end"} - {action.does for action in actions}):
            problem = Problem(f"{fault.id}: its {' and '.join(sorted(missing))} was never confirmed", LOGS)
        worst = format_duration(max(((action.confirmed or 0.0) - action.due for action in actions), default=0.0))
        holds = f"{fault.id} began and ended as planned, at most {worst} late"
        yield checked(f"applied {fault.id}", problem, holds)


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
    problem, faults = None, {fault.id for fault in evidence.timeline.faults}
    for action in evidence.actions:
        if action.does == "look" or action.fault in faults:
            continue
        if action.error is not None or action.confirmed is None:
            due, why = format_clock(action.due, 1), action.error or "no answer"
            problem = Problem(f"{action.fault} could not be changed at {due}: {why}", LOGS)
            break
    yield checked("other actions", problem, "all confirmed")


_Check = Callable[[RunEvidence, RunCounters], Iterator[ValidityCheck]]
CHECKS: tuple[_Check, ...] = (
    ended, testbed, clocks, intercepted, data, journal, requests_arrived, answers_given, data_in_phases, pending,
    system_reached, felt,
    applied, other_actions, lag, cpu,
)  # fmt: skip
