"""Checks whether the testbed and its load generator did their work: a run's evidence in, what each found out. Pure.

What a check yields is as in `validity_checks.py`, which has them in its table.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import WAY_TO, Health
from mockbot.evidence.run_counters import LATE, RunCounters
from mockbot.evidence.unserved import not_given
from mockbot.evidence.validity import LOGS, Problem, ValidityCheck, checked
from mockbot.evidence.worker_clocks import clock_problem, clocks_in_words
from mockbot.units.formatting import format_clock, format_counted, format_percent, format_wall

REMEDY = "use more --processes or --workers, a lower speed or fewer users"
LAG = LATE  # p99 (research: a run with more than 50 ms is marked invalid)
LATE_PROMPTS = 0.01  # share of the prompts that may be sent later than LAG, since LAG is a p99
BUSY_CORE, BUSY_MACHINE = 0.95, 0.97
HUNG = 2.0  # wall seconds for which a process may stand still, or a look at it may take
SELDOM, MOSTLY = 0.05, 0.5  # shares of the health samples: of an hour, 3 minutes and half an hour


def lag(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """The load generator kept to its schedule, by the prompts' own times and by the delay of its event loop."""
    if not _generates_load(evidence):
        return
    if not evidence.health:
        yield checked("generator lag", Problem("no load-generator health samples were recorded", LOGS), "")
        return
    late = counters.sent_late / max(1, counters.asked)
    slow = _share(evidence.health, lambda sample: sample.lag_p99 > LAG)
    sent, samples = format_percent(late, 1), format_percent(slow)
    says = f"{sent} of the prompts were sent late, and in {samples} of its samples it was late"
    ok = late <= LATE_PROMPTS and slow <= SELDOM
    behind = Problem(f"the load generator fell behind its schedule by more than 50 ms: {says}", REMEDY)
    yield checked("generator lag", None if ok else behind, says)


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
    too_busy = Problem(f"the machine has too little CPU for this run: {says}", REMEDY)
    yield checked("machine", None if ok else too_busy, says)


def clocks(evidence: RunEvidence, _: RunCounters) -> Iterator[ValidityCheck]:
    """The times of workers on other machines are those of the master's clock, from the first second to the last."""
    if all_clocks := evidence.info.clocks:
        problem = clock_problem(all_clocks)
        yield checked("clocks", problem, clocks_in_words(all_clocks))


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
    yield checked("testbed", Problem(problem, LOGS) if problem else None, "it answered at every look")


def requests_arrived(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Where no fault kept them away, the crowd's requests reached their provider."""
    if not _generates_load(evidence) or evidence.info.system:
        return
    problem = None
    for provider, lost, since in counters.lost.found():
        never = f"{format_counted(lost, 'request')} never reached {provider}, from {format_clock(since)} on"
        look = "look for dropped packets and closed connections, and run again"
        problem = Problem(f"{never}, though no fault kept them away", look)
        break
    yield checked("requests arrived", problem, "every request reached its provider")


def answers_given(evidence: RunEvidence, counters: RunCounters) -> Iterator[ValidityCheck]:
    """Every request that was to get a real or a recorded answer got one, or a fault instead."""
    if all(provider.makes_answers for provider in evidence.scenario.providers.values()):
        return
    told = "; ".join(not_given(counters.unserved))
    problem = Problem(told, "then run again") if told else None
    yield checked("answers given", problem, "no request lacked its real or recorded answer")


def _generates_load(evidence: RunEvidence) -> bool:
    return not evidence.info.simulated and evidence.info.client != "command" and evidence.info.nodes > 0


def _share(samples: tuple[Health, ...], holds: Callable[[Health], bool]) -> float:
    return sum(map(holds, samples)) / len(samples) if samples else 0.0
