"""Variants of a file in, the results of their simulated runs out, one for each seed; and the numbers to take from one.

The only module here that simulates. The engine is the one that `mockbot simulate` takes, so that the numbers of the
file as written are its numbers. A run that has too many records is given up, so that there is an answer within a
minute or so. An interruption is raised as KeyboardInterrupt.
"""

import math
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, islice
from typing import Literal, NamedTuple, cast

from mockbot.evidence.count_run import count_run
from mockbot.evidence.counters import ROUNDED
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt, ServiceSecond
from mockbot.evidence.sampling import sampled_text
from mockbot.evidence.scope_counters import Part, ScopeCounters, counters_of
from mockbot.measures.measure import Measure
from mockbot.measures.outages import WorstOutage, affected_recovery, recovery_time
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.all_cores import done_on_cores
from mockbot.simulate.change_points import Record
from mockbot.simulate.simulation import Memory, simulate
from mockbot.units.rank import nearest_rank

MOST_RECORDS = 500_000  # of a run: ten seconds; the bundled outages have a fifth of it


class Recovered(NamedTuple):
    """One outage of one group: seconds from its clear, by `mockbot.measures.outages`. None: it cannot be said."""

    group: str
    begin: float
    clear: float
    well: float | None  # recovery_time
    settled: float | None  # affected_recovery


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, simulated or live.

    `seconds`: of each provider in their order, as little as is read of them, because processes hand them over.
    """

    prompts: list[Prompt]
    seconds: Mapping[str, list[tuple[int, int, int]]]  # (t, requests in it, those who queue at its end)
    recovered: Sequence[Recovered] = ()

    def asked(self, begin: float, end: float, groups: Collection[str]) -> list[Prompt]:
        """The prompts that were asked in this time by these groups."""
        return [p for p in self.prompts if begin <= p.intended < end and p.group in groups]


_Task = tuple[Scenario, int, bool]  # a variant, a seed, and whether to say the recovery times
_Result = tuple[RunResult | None, str]
Take = Callable[[RunResult], float | None]  # None: the run has nothing that it could be said of


class _TooManyError(Exception):
    """A run is given up."""


class Experiments:
    """`tick` is called after every run. Equal variants are simulated once. `most`: records of a run.

    `close` ends what `ahead` has begun.
    """

    def __init__(self, seeds: int, tick: Callable[[], None], most: int = MOST_RECORDS) -> None:
        self.seeds, self.most = seeds, most
        self._tick = tick
        self._done: dict[tuple[str, bool], dict[int, RunResult | None]] = {}  # a variant's runs by their seed
        self._ahead: Generator[tuple[_Task, _Result]] = done_on_cores(partial(_run, most), (), 1)
        self.sampled = ""  # in words, when not all users of a run are recorded

    def ahead(self, variants: Iterable[tuple[Scenario, bool]], workers: Callable[[float], int]) -> None:
        """Simulate these in this order in processes, from the first call of `runs` on that needs one of them.

        Each with whether its recovery times are needed. The first run is done here and now; `workers` says by its wall
        seconds how many processes to take.
        """
        tasks, before = self._tasks(variants), time.perf_counter()
        for done in done_on_cores(partial(_run, self.most), islice(tasks, 1), 1):
            self._keep(done)
        seconds = time.perf_counter() - before
        self._ahead = done_on_cores(partial(_run, self.most), tasks, workers(seconds))

    def close(self) -> None:
        """End the processes."""
        self._ahead.close()

    def runs(self, variant: Scenario, *, recovery: bool = True) -> list[RunResult] | None:
        """One for each seed; None when one has too many records. Without `recovery`, its times may be None."""
        key = _key(variant, recovery=recovery or _key(variant, recovery=True) in self._done)
        for found in (self._ahead, done_on_cores(partial(_run, self.most), self._tasks([(variant, recovery)]), 1)):
            while not self._complete(key) and (done := next(found, None)) is not None:
                self._keep(done)
        runs = [self._done[key].get(seed) for seed in range(variant.seed, variant.seed + self.seeds)]
        whole = [run for run in runs if run is not None]
        return whole if len(whole) == self.seeds else None

    def _keep(self, done: tuple[_Task, _Result]) -> None:
        (variant, seed, recovery), (run, sampled) = done
        self._done[_key(variant, recovery=recovery)][seed] = run
        self.sampled = self.sampled or sampled
        self._tick()

    def _tasks(self, variants: Iterable[tuple[Scenario, bool]]) -> Iterator[_Task]:
        """Every seed of those that are new, as far as no run of them was given up."""
        for variant, recovery in variants:
            key = _key(variant, recovery=recovery)
            if key not in self._done and _key(variant, recovery=True) not in self._done:
                self._done[key] = {}
                seeds = range(variant.seed, variant.seed + self.seeds)
                yield from ((variant, seed, recovery) for seed in seeds if not self._complete(key))

    def _complete(self, key: tuple[str, bool]) -> bool:
        runs = self._done.get(key, {})
        return len(runs) == self.seeds or None in runs.values()


def _key(variant: Scenario, *, recovery: bool) -> tuple[str, bool]:
    return variant.model_dump_json(exclude={"expect"}), recovery


def _run(most: int, task: _Task) -> _Result:
    """The run, and how it is sampled; None when it has too many records."""
    variant, seed, recovery = task
    memory = Memory()

    def keep(record: Record) -> None:
        if len(memory.requests) + len(memory.seconds) >= most:
            raise _TooManyError
        memory.take(record)

    try:
        info = simulate(variant, seed=seed, sink=keep)
    except _TooManyError:
        return None, ""
    if info.ended == "interrupted":
        raise KeyboardInterrupt
    result = result_of(memory.evidence(variant, info), recovery=recovery)
    return result, sampled_text(info.weight, Timeline(variant))


def result_of(evidence: RunEvidence, *, recovery: bool = True) -> RunResult:
    """Of any run, live or simulated; without the recovery times, which take longest to count, if not needed."""
    prompts = [record for record in evidence.requests() if isinstance(record, Prompt)]
    seconds: dict[str, list[tuple[int, int, int]]] = {name: [] for name in evidence.scenario.providers}
    for second in evidence.seconds():
        if isinstance(second, ServiceSecond) and second.provider in seconds:
            seconds[second.provider].append((second.t, second.offered, second.queued))
    if not recovery:
        return RunResult(prompts, seconds)
    only_requests = replace(evidence, seconds=lambda: iter(()))  # recovery is counted of prompts alone
    counted = counters_of(count_run(only_requests), Scope())
    recovered = []
    for part in counted.parts():
        for n, each in enumerate(part.outages):
            well, settled = (_time(measure, counted, part, n) for measure in (recovery_time, affected_recovery))
            recovered.append(Recovered(part.name, each.begin, each.clear, well, settled))
    return RunResult(prompts, seconds, recovered)


def _time(measure: Measure, counted: ScopeCounters, part: Part, index: int) -> float | None:
    """Of one outage instead of the worst; infinite when the run ended, or the next outage began, before."""
    value, outage = cast("WorstOutage", measure.formula).of_outage(counted, part, index), part.outages[index]
    if isinstance(value, Known):
        return value.number if value.number <= outage.until - outage.clear else math.inf
    return math.inf if isinstance(value, Beyond) else None


# -- numbers of a run ------------------------------------------------------------------------------------------------


def good(begin: float, end: float, slo: float, groups: Collection[str]) -> Take:
    """The share of the prompts of this time that were answered within the slo, as `availability` counts.

    None without a prompt; 0 when nobody could ask one, because all who wait were waiting before.
    """

    def take(run: RunResult) -> float | None:
        asked = [p for p in run.asked(begin, end, groups) if p.settled != "unfinished"]
        if not asked:
            stuck = any(p.intended < begin and p.end >= end for p in run.prompts if p.group in groups)
            return 0.0 if stuck else None
        return sum(p.settled == "answered" and p.end - p.intended <= slo + ROUNDED for p in asked) / len(asked)

    return take


def median_wait(begin: float, end: float, groups: Collection[str]) -> Take:
    """The median wait for an answer to the prompts of this time; infinite when most of them got none."""

    def take(run: RunResult) -> float | None:
        asked = run.asked(begin, end, groups)
        return nearest_rank(sorted(p.end - p.intended if p.settled == "answered" else math.inf for p in asked), 0.5)

    return take


def recovery(begin: float, clear: float, groups: Collection[str], which: Literal["well", "settled"]) -> Take:
    """The longest that one of these groups took after its outage of this time; None when it can be said of none."""

    def take(run: RunResult) -> float | None:
        own = (each for each in run.recovered if each.group in groups and each.begin < clear and begin < each.clear)
        times = (each.well if which == "well" else each.settled for each in own)
        return max((each for each in times if each is not None), default=None)

    return take


def requests(begin: float, end: float, provider: str, capacity: float) -> Take:
    """Requests per second that reach the provider in this time, over the capacity."""

    def take(run: RunResult) -> float | None:
        offered = sum(offered for t, offered, _ in run.seconds[provider] if begin <= t < end)
        return offered / (end - begin) / capacity if end > begin else None

    return take


def peak(begin: float, end: float, provider: str, capacity: float, answer: float) -> Take:
    """The most requests within the time of one answer, at least a second, over what can be answered in it."""
    width = max(1, round(answer))

    def take(run: RunResult) -> float | None:
        sums = list(accumulate((offered for t, offered, _ in run.seconds[provider] if begin <= t < end), initial=0))
        if len(sums) < 2:
            return None
        most = max(sums[min(i + width, len(sums) - 1)] - before for i, before in enumerate(sums))
        return most / (width * capacity)

    return take


def drained(clear: float, until: float, provider: str) -> Take:
    """Seconds from the clear to the end of the first second at whose end nobody queues; infinite: none by `until`."""

    def take(run: RunResult) -> float | None:
        own = [(t, queued) for t, _, queued in run.seconds[provider] if clear <= t < until]
        return min((t + 1 - clear for t, queued in own if not queued), default=math.inf) if own else None

    return take
