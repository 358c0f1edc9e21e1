"""One run's journal in, the noise of its measures out: how much of each is chance. Pure, and without random draws.

The jackknife leaves out one part of the run after the other; the more a measure depends on single parts, the noisier it
is (Wolter, "Introduction to Variance Estimation", 2nd ed. 2007, 4.3 and 4.5). The run is divided in two ways:

    users   PARTS groups of users, because the prompts of one user depend on each other; none with fewer than FEW_USERS
    time    PARTS blocks of each phase, because users who wait for the same provider depend on each other, too

A block should be long against the time for which prompts resemble their neighbours, and there should be 10 to 30 of
them (Schmeiser, Oper. Res. 30(3), 1982, on batch means). The lower end is taken here, and fewer blocks when there are
fewer prompts, at least the root of their number in each: the jackknife of a percentile needs parts of that size (Shao
and Wu, Ann. Statist. 17(3), 1989). Blocks that still resemble the next one add their covariance to the variance.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, NamedTuple, TypeVar

from mockbot.evidence.counters import Cohort, Course, Key, prompt_sample
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope_counters import ScopeCounters, counters_of
from mockbot.measures.outages import WorstOutage
from mockbot.measures.percentiles import Percentile
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE, shown
from mockbot.measures.values import Beyond, Known, Value

PARTS = 10
FEW_USERS = 5  # fewer say too little about how much users differ

Division = Literal["users", "time"]
Statistic = Callable[[ScopeCounters], float]
Measured = tuple[Scope, str]
_M = TypeVar("_M", Cohort, Course)


class Spread(NamedTuple):
    """The variance that one group of parts shows, by so many degrees of freedom."""

    variance: float
    freedom: int


Noise = Mapping[Division, Mapping[Measured, Sequence[Spread]]]  # the sum of the spreads is the variance


@dataclass(slots=True)
class _Part:
    """The counters of some of the prompts, by the keys of `RunCounters`."""

    cohorts: dict[Key, Cohort] = field(default_factory=lambda: defaultdict(Cohort))
    courses: dict[Key, Course] = field(default_factory=lambda: defaultdict(Course))


def number(value: Value) -> float:
    """The value, or the least that it can be; not a number when it is undefined."""
    return value.number if isinstance(value, Known) else value.bound if isinstance(value, Beyond) else math.nan


def noise_of(evidence: RunEvidence, run: RunCounters, scopes: Collection[Scope]) -> Noise:
    """The spreads of the measures that `compare` shows; of a percentile, those of the share that is not above it."""
    users, blocks = _divided(evidence, run)
    statistics = {
        (scope, measure.name): _statistic(counters_of(run, scope), measure.name)
        for scope in scopes
        for measure in shown("compare")
    }
    noise: dict[Division, dict[Measured, list[Spread]]] = {"users": defaultdict(list), "time": defaultdict(list)}
    if len(users) >= FEW_USERS:
        for key, left in _left_out(run, users, statistics).items():
            noise["users"][key].append(_spread(left))
    for index, parts in blocks.items():
        phase = run.timeline.phases[index].name
        # What follows the course of a run has no blocks of time that could be left out.
        touched = {
            key: statistic
            for key, statistic in statistics.items()
            if key[0].phase in {None, phase} and not isinstance(TABLE[key[1]].formula, WorstOutage)
        }
        if len(parts) > 1:
            for key, left in _left_out(run, parts, touched).items():
                noise["time"][key].append(_spread(left, in_order=True))
    return noise


def limits(counted: ScopeCounters, measure: str, far: float) -> tuple[float, float]:
    """The measure less and plus `far`; of a percentile, the percentiles at so much of a share less and more.

    Woodruff, "Confidence intervals for medians and other position measures", J. Am. Stat. Assoc. 47, 1952.
    """
    formula = TABLE[measure].formula
    value = number(TABLE[measure].value(counted))
    if not isinstance(formula, Percentile):
        return value - far, value + far
    durations, low, high = formula.take(counted.cohort), formula.q - far, formula.q + far
    shortest = durations.quantile(low) if low > 0 else 0.0
    longest = durations.quantile(high) if high <= 1 else math.inf
    return shortest or 0.0, math.inf if longest is None else longest


def _divided(evidence: RunEvidence, run: RunCounters) -> tuple[list[_Part], dict[int, list[_Part]]]:
    """The prompts by users, and by phase and blocks of time."""
    asked = [0] * len(run.timeline.phases)
    for key, cohort in run.cohorts.items():
        asked[key.phase] += 0 if key.provider else cohort.prompts
    blocks = {n: [_Part() for _ in range(min(PARTS, math.isqrt(count)))] for n, count in enumerate(asked) if count}
    numbers: dict[str, int] = {}
    users: dict[int, _Part] = defaultdict(_Part)
    for line in evidence.requests():
        if not isinstance(line, Prompt) or (index := run.phase(line.intended)) is None:
            continue
        sample, key = prompt_sample(line, evidence.scenario.slo), Key(index, line.group, line.tier)
        user = users[numbers.setdefault(line.user, len(numbers)) % PARTS]
        user.courses[key._replace(phase=-1)].add(sample, ())
        phase, parts = run.timeline.phases[index], blocks[index]
        block = int(len(parts) * (line.intended - phase.start) / (phase.end - phase.start))
        for part in (user, parts[min(block, len(parts) - 1)]):
            part.cohorts[key].add(sample, run.satisfied_within)
            part.cohorts[key].attempts += line.attempts
    return list(users.values()), blocks


def _statistic(counted: ScopeCounters, measure: str) -> Statistic:
    """What is measured again without a part: of a percentile, the share that is within its value."""
    formula = TABLE[measure].formula
    value = number(TABLE[measure].value(counted))
    if isinstance(formula, Percentile):
        return lambda again: formula.take(again.cohort).share_within(value)
    return lambda again: number(TABLE[measure].value(again))


def _left_out(
    run: RunCounters, parts: Sequence[_Part], statistics: Mapping[Measured, Statistic]
) -> Mapping[Measured, list[float]]:
    """Each statistic without the first part, without the second, and so on."""
    left: dict[Measured, list[float]] = defaultdict(list)
    for part in parts:
        again = copy(run)
        again.cohorts = {**run.cohorts, **dict(_without(run.cohorts, part.cohorts, Cohort))}
        again.courses = {**run.courses, **dict(_without(run.courses, part.courses, Course))}
        counted = {scope: counters_of(again, scope) for scope in {scope for scope, _ in statistics}}
        for key, statistic in statistics.items():
            left[key].append(statistic(counted[key[0]]))
    return left


def _without(whole: Mapping[Key, _M], part: Mapping[Key, _M], empty: Callable[[], _M]) -> Iterator[tuple[Key, _M]]:
    for key, counts in part.items():
        rest = empty()
        rest.merge(whole[key])
        rest.merge(counts, -1)
        yield key, rest


def _spread(left: Sequence[float], *, in_order: bool = False) -> Spread:
    """The jackknife's variance; `in_order`: each part follows the one before it, and may resemble it."""
    middle = fmean(left)
    apart = [each - middle for each in left]
    square = math.fsum(each * each for each in apart)
    if in_order:
        square += 2 * max(0.0, math.fsum(map(float.__mul__, apart, apart[1:])))
    return Spread((len(left) - 1) / len(left) * square, len(left) - 1)
