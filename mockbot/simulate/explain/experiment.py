"""Variants of a file in, the results of their simulated runs out, one for each seed; and the numbers to take from one.

The only module here that simulates. The engine is the one that `mockbot simulate` takes, so that the numbers of the
file as written are its numbers. A run that has too many records is given up, so that there is an answer within a
minute or so. An interruption is raised as KeyboardInterrupt.
"""

import math
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from mockbot.evidence.counters import ROUNDED
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt, ServiceSecond
from mockbot.evidence.run_counters import count_run
from mockbot.evidence.sampling import sampled_text
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.all_cores import done_on_cores
from mockbot.simulate.change_points import Record
from mockbot.simulate.simulation import Memory, simulate
from mockbot.units.rank import nearest_rank

MOST_RECORDS = 500_000  # of a run: ten seconds; the bundled outages have a fifth of it


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, simulated or live; the recovery times of `mockbot.measures`, None where they cannot be said."""

    prompts: list[Prompt]
    seconds: list[ServiceSecond]
    recovery: float | None = None
    affected: float | None = None

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

    def ahead(self, variants: Iterable[tuple[Scenario, bool]], workers: int) -> None:
        """From now on, simulate these in this order in so many processes, until `runs` has what it is asked for.

        Each with whether its recovery times are needed.
        """
        self._ahead = done_on_cores(partial(_run, self.most), self._tasks(variants), workers)

    def close(self) -> None:
        """End the processes."""
        self._ahead.close()

    def runs(self, variant: Scenario, *, recovery: bool = True) -> list[RunResult] | None:
        """One for each seed; None when one has too many records. Without `recovery`, its times may be None."""
        key = _key(variant, recovery=recovery or _key(variant, recovery=True) in self._done)
        for found in (self._ahead, done_on_cores(partial(_run, self.most), self._tasks([(variant, recovery)]), 1)):
            while not self._complete(key) and (done := next(found, None)) is not None:
                (other, seed, counted), (run, sampled) = done
                self._done[_key(other, recovery=counted)][seed] = run
                self.sampled = self.sampled or sampled
                self._tick()
        runs = [self._done[key].get(seed) for seed in range(variant.seed, variant.seed + self.seeds)]
        whole = [run for run in runs if run is not None]
        return whole if len(whole) == self.seeds else None

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
    seconds = [record for record in evidence.seconds() if isinstance(record, ServiceSecond)]
    if not recovery:
        return RunResult(prompts, seconds)
    counted = counters_of(count_run(evidence), Scope())
    values = [TABLE[name].value(counted) for name in ("recovery_time", "affected_recovery")]
    times = [
        each.number if isinstance(each, Known) else math.inf if isinstance(each, Beyond) else None for each in values
    ]
    return RunResult(prompts, seconds, *times)


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


def requests(begin: float, end: float, provider: str, capacity: float) -> Take:
    """Requests per second that reach the provider in this time, over the capacity."""

    def take(run: RunResult) -> float | None:
        offered = sum(each.offered for each in run.seconds if begin <= each.t < end and each.provider == provider)
        return offered / (end - begin) / capacity if end > begin else None

    return take


def peak(begin: float, end: float, provider: str, capacity: float) -> Take:
    """The most requests in one of these seconds, over the capacity."""

    def take(run: RunResult) -> float | None:
        found = [each.offered for each in run.seconds if begin <= each.t < end and each.provider == provider]
        return max(found) / capacity if found else None

    return take


def drained(clear: float, until: float, provider: str) -> Take:
    """Seconds from the clear to the end of the first second in which nobody queues; infinite: none before `until`."""

    def take(run: RunResult) -> float | None:
        own = [each for each in run.seconds if each.provider == provider and clear <= each.t < until]
        return min((each.t + 1 - clear for each in own if not each.queued), default=math.inf) if own else None

    return take
