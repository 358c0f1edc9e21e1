"""Scenarios in, the results of their simulated runs out, once for each seed; and the numbers to take from a result.

The only module here that simulates. An interruption is raised as KeyboardInterrupt; the answers that are done are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.run_counters import count_run
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known
from mockbot.scenario.schema import Scenario
from mockbot.simulate.change_points import Record
from mockbot.simulate.engines import fastest, start
from mockbot.simulate.explain.answer import Figure, Measure
from mockbot.simulate.seed_statistics import interval
from mockbot.simulate.simulation import Memory, simulate
from mockbot.units.rank import nearest_rank

NEVER = float("inf")
Groups = frozenset[str] | None  # None: all


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, simulated or live: its prompts, its providers' seconds, and when it had recovered (inf: never)."""

    prompts: list[Prompt]
    seconds: list[ServiceSecond]
    recovery: float | None = None
    affected: float | None = None

    def asked(self, begin: float, end: float, groups: Groups = None) -> list[Prompt]:
        """The prompts that were asked in this time by these groups."""
        return [p for p in self.prompts if begin <= p.intended < end and (groups is None or p.group in groups)]


class Experiments:
    """`tick` is called after every run."""

    def __init__(self, seeds: int, tick: Callable[[], None]) -> None:
        self.seeds = seeds
        self._tick = tick
        self._done: dict[str, list[RunResult]] = {}

    def runs(self, scenario: Scenario, *, judged: bool = False) -> list[RunResult]:
        """One for each seed. `judged`: with its recovery times; such runs are kept for the next question."""
        if judged and scenario.name in self._done:
            return self._done[scenario.name]
        found = []
        for number in range(self.seeds):
            memory = Memory()

            def keep(record: Record, memory: Memory = memory) -> None:
                # Attempts are most of a run's records, and only a judgement reads them.
                if judged or not isinstance(record, Attempt):
                    memory.take(record)

            info = simulate(scenario, seed=scenario.seed + number, sink=keep, engine=fastest(scenario))
            if info.ended == "interrupted":
                raise KeyboardInterrupt
            self._tick()
            prompts = [each for each in memory.requests if isinstance(each, Prompt)]
            found.append(result_of(memory.evidence(scenario, info)) if judged else RunResult(prompts, memory.seconds))
        if judged:
            self._done[scenario.name] = found
        return found

    def seconds(self, scenario: Scenario, number: int) -> list[ServiceSecond]:
        """The providers' seconds under a crowd of any size, by the fastest engine that can play it."""
        found: list[ServiceSecond] = []

        def keep(record: Record) -> None:
            if isinstance(record, ServiceSecond):
                found.append(record)

        run = start(fastest(scenario), scenario, scenario.seed + number, keep, services_only=True)
        while run.play(run.latest):
            pass
        self._tick()
        return found


def result_of(evidence: RunEvidence) -> RunResult:
    """Of any run, live or simulated."""
    counted = counters_of(count_run(evidence), Scope())
    prompts = [record for record in evidence.requests() if isinstance(record, Prompt)]
    seconds = [record for record in evidence.seconds() if isinstance(record, ServiceSecond)]
    values = [TABLE[name].value(counted) for name in ("recovery_time", "affected_recovery")]
    times = [each.number if isinstance(each, Known) else NEVER if isinstance(each, Beyond) else None for each in values]
    return RunResult(prompts, seconds, *times)


# -- numbers of a run ------------------------------------------------------------------------------------------------

Take = Callable[[RunResult], float | None]  # None: the run has no prompt that it could be said of


def measured(
    what: str, measure: Measure, take: Take, runs: Sequence[RunResult], live: RunResult | None = None, *,
    theory: float | None = None,
) -> Figure:  # fmt: skip
    """One number of each simulated run, with its interval, and of the live one if there is one."""
    return Figure(what, measure, theory, interval(list(map(take, runs))), None if live is None else take(live))


def median_wait(begin: float, end: float, groups: Groups = None) -> Take:
    """The median wait for an answer to the prompts of this time; infinite for a prompt without an answer."""

    def take(run: RunResult) -> float | None:
        asked = run.asked(begin, end, groups)
        return nearest_rank(sorted(p.end - p.intended if p.settled == "answered" else NEVER for p in asked), 0.5)

    return take


def answered(begin: float, end: float, within: float, groups: Groups = None) -> Take:
    """The share of the prompts of this time that were answered within so many seconds."""

    def take(run: RunResult) -> float | None:
        asked = run.asked(begin, end, groups)
        good = sum(p.settled == "answered" and p.end - p.intended <= within for p in asked)
        return good / len(asked) if asked else None

    return take


def all_answered(begin: float, end: float) -> Take:
    """Seconds after `end` until 95 % of the prompts of this time have an answer."""

    def take(run: RunResult) -> float | None:
        ends = sorted(p.end if p.settled == "answered" else NEVER for p in run.asked(begin, end))
        return max(0.0, ends[int(0.95 * (len(ends) - 1))] - end) if ends else None

    return take


def peak(begin: float, end: float, capacity: float) -> Take:
    """The most requests in one of these seconds, over the capacity."""
    return lambda run: max((each.offered for each in run.seconds if begin <= each.t < end), default=0) / capacity


def sent(begin: float, end: float, capacity: float) -> Take:
    """Requests per second in this time, over the capacity."""
    return lambda run: sum(each.offered for each in run.seconds if begin <= each.t < end) / (end - begin) / capacity
