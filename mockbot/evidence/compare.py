"""Two runs in, what differs between them beyond chance out. Pure: the same runs give the same comparison.

A difference is worse (or better) when it is large enough to matter and further from nothing than its own noise allows,
corrected for how many differences are looked at (Bonferroni, in all 5 %): two runs of the same client are hardly ever
found to differ. A comparison says nothing when one of the runs does not, or when they ran at different speeds, because
what the machine adds to every answer is multiplied by the speed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, stdev
from typing import Literal

from mockbot.errors import UsageError
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.noise import MEASURES, REPLICAS, Replica, blocks_of, replicas
from mockbot.evidence.scope import Scope
from mockbot.evidence.student_t import t_quantile
from mockbot.evidence.validity_checks import MIN_PROMPTS
from mockbot.evidence.verdict import Judgement
from mockbot.measures.catalogue import CATALOGUE
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.units.formatting import format_percent

Change = Literal["better", "worse", "same", "unknown"]
MATTERS, MATTERS_SHARE = 0.05, 0.005  # of the larger value; of a share, half a percentage point
BUSIER = 0.15  # share of the machine
CHANCE = 0.05  # of calling anything worse or better that is not, over all differences together


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of one scope in both runs. `low`, `high`: the 95 % interval of b - a; None when it cannot be said."""

    scope: Scope
    measure: str
    a: Value
    b: Value
    low: float | None
    high: float | None
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """`broken`: why it says nothing; empty when it does. `notes`: what else may have made a difference."""

    differences: tuple[Difference, ...]
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Difference, ...]:
        """Where b is worse beyond noise."""
        return tuple(each for each in self.differences if each.change == "worse")


def compare(
    a: RunEvidence, b: RunEvidence, judged_a: Judgement, judged_b: Judgement, draws: int = REPLICAS
) -> Comparison:
    """Everything that both runs measured. Raises UsageError when they are runs of different scenarios."""
    _comparable(a, b)
    users_a, users_b = blocks_of(a, judged_a.counters), blocks_of(b, judged_b.counters)
    drawn_a = list(replicas(users_a, judged_a.counters, Random("a"), draws))
    drawn_b = list(replicas(users_b, judged_b.counters, Random("b"), draws))
    pairs = list(_pairs(judged_a, judged_b))
    tail = CHANCE / (2 * max(1, len(pairs)))
    limit = t_quantile(1 - tail, max(1, min(len(users_a), len(users_b)) - 1))  # in units of a difference's noise
    found = tuple(_difference(*pair, drawn_a, drawn_b, limit) for pair in pairs)
    broken = (*_broken("the first run", judged_a), *_broken("the second run", judged_b), *_speeds(a, b))
    return Comparison(found, broken, (*_notes(a, b), *_in_the_calm(judged_a, found)))


def _comparable(a: RunEvidence, b: RunEvidence) -> None:
    if a.timeline.phases != b.timeline.phases:
        first, second = (
            ", ".join(f"{phase.name} {phase.end - phase.start:g}s" for phase in run.timeline.phases) for run in (a, b)
        )
        raise UsageError(f"these runs cannot be compared: their phases differ ({first} | {second})")


def _broken(which: str, judgement: Judgement) -> Iterator[str]:
    yield from (f"{which}: {check.says}" for check in judgement.checks if not check.ok)


def _speeds(a: RunEvidence, b: RunEvidence) -> Iterator[str]:
    if a.info.speed != b.info.speed:
        yield f"the runs had different speeds, {a.info.speed:g} and {b.info.speed:g}: run them at the same one"


def _notes(a: RunEvidence, b: RunEvidence) -> Iterator[str]:
    if a.info.seed != b.info.seed:
        yield f"their seeds differ, {a.info.seed} and {b.info.seed}"
    fields = type(a.scenario).model_fields
    if differ := [name for name in fields if getattr(a.scenario, name) != getattr(b.scenario, name)]:
        yield f"their scenarios differ in {', '.join(differ)}"
    busy = [fmean(sample.machine_cpu for sample in run.health) if run.health else 0.0 for run in (a, b)]
    if abs(busy[0] - busy[1]) > BUSIER:
        busy_words = " and ".join(f"{format_percent(share)}" for share in busy)
        yield f"the machine was busy to {busy_words}: a part of the difference in latencies may be the machine's"


def _in_the_calm(a: Judgement, found: Sequence[Difference]) -> Iterator[str]:
    """Before anything goes wrong the clients do nothing that could differ: it is the machine or the scenario."""
    baseline = a.counters.disturbance.baseline
    calm = next((phase.name for phase in a.counters.timeline.phases if baseline and phase.end == baseline[1]), None)
    apart = [each.measure for each in found if each.scope == Scope(phase=calm) and each.change in {"better", "worse"}]
    if calm is not None and apart:
        yield f"they differ before anything went wrong, in {', '.join(apart)} of {calm}: so may what comes later"


def _pairs(a: Judgement, b: Judgement) -> Iterator[tuple[Scope, str, Value, Value]]:
    """What both have a row for and enough prompts in."""
    rows = {row.scope: row.measures for row in b.rows}
    for row in a.rows:
        other = rows.get(row.scope)
        if other is None or min(_prompts(row.measures["prompts"]), _prompts(other["prompts"])) < MIN_PROMPTS:
            continue
        if row.scope.tier is None and row.scope.provider is None:
            for name in MEASURES:
                first, second = row.measures[name], other[name]
                if not isinstance(first, Undefined) and not isinstance(second, Undefined):
                    yield row.scope, name, first, second


def _prompts(value: Value) -> float:
    return value.number if isinstance(value, Known) else 0.0


def _difference(
    scope: Scope,
    measure: str,
    a: Value,
    b: Value,
    drawn_a: Sequence[Replica],
    drawn_b: Sequence[Replica],
    limit: float,
) -> Difference:
    key = (scope, measure)
    both = zip(drawn_a, drawn_b, strict=True)
    apart = [_apart(first[key], second[key]) for first, second in both if key in first and key in second]
    if len(apart) < len(drawn_a) / 2:
        return Difference(scope, measure, a, b, None, None, "unknown")
    ordered = sorted(apart)
    low, high = ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered))]
    seen, least = _apart(_number(a), _number(b)), _least(measure, _number(a), _number(b))
    return Difference(scope, measure, a, b, low, high, _change(measure, apart, seen, least, limit))


def _number(value: Value) -> float:
    return value.number if isinstance(value, Known) else math.inf if isinstance(value, Beyond) else math.nan


def _least(measure: str, a: float, b: float) -> float:
    """The smallest difference that matters."""
    if CATALOGUE[measure].unit == "share":
        return MATTERS_SHARE
    return MATTERS * max((value for value in (a, b) if math.isfinite(value)), default=0.0)


def _apart(a: float, b: float) -> float:
    """b - a, where never and never are alike."""
    return 0.0 if a == b else b - a


def _change(measure: str, apart: Sequence[float], seen: float, least: float, limit: float) -> Change:
    """By the seen difference in units of its noise; where one run never got there, by whether every replica says so."""
    if seen == 0 or abs(seen) < least:
        return "same"
    if not all(map(math.isfinite, (*apart, seen))):
        surely = math.isinf(seen) and all(each == seen for each in apart)
    else:
        noise = max(stdev(apart), 0.01 * abs(fmean(apart)))  # what replicas hardly vary in is not known to the bin
        surely = abs(seen) > limit * noise
    if not surely:
        return "same"
    return "better" if (seen > 0) == (CATALOGUE[measure].better == "high") else "worse"
