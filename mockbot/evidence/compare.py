"""Two runs in, their differences beyond chance out. Pure: the same runs give the same comparison.

A difference is worse (or better) when it is large enough to matter and further from 0 than its own noise explains,
corrected for the number of differences (Bonferroni, 5 % for all together): two runs of the same client hardly ever
differ. A comparison is invalid when one of the runs is, or when they ran at different speeds, because the speed
multiplies the delays that the machine adds to every answer.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, stdev
from typing import Literal

from mockbot.errors import UsageError
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.noise import REPLICAS, Replica, blocks_of, replicas
from mockbot.evidence.student_t import t_quantile
from mockbot.evidence.validity_checks import MIN_PROMPTS
from mockbot.evidence.verdict import JudgedRun
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE, shown
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.units.formatting import format_percent

Change = Literal["better", "worse", "same", "unknown"]
_Pair = tuple[Scope, str, Value, Value]  # a measure of a scope, in both runs
MATTERS, MATTERS_SHARE = 0.05, 0.005  # of the larger value; of a share, half a percentage point
BUSIER = 0.15  # share of the machine
CHANCE = 0.05  # of a false "worse" or "better", over all differences together


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of one scope in both runs. `low`, `high`: the 95 % interval of b - a; None when it is unknown."""

    scope: Scope
    measure: str
    a: Value
    b: Value
    low: float | None
    high: float | None
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """`broken`: why the comparison is invalid, or empty. `notes`: what else may explain a difference."""

    differences: tuple[Difference, ...]
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Difference, ...]:
        """Where b is worse beyond noise."""
        return tuple(each for each in self.differences if each.change == "worse")


def compare(first: JudgedRun, second: JudgedRun, draws: int = REPLICAS) -> Comparison:
    """Every measure that both runs have. Raises UsageError when their phases differ."""
    (a, counters_a, judged_a), (b, counters_b, judged_b) = first, second
    if a.timeline.phases != b.timeline.phases:
        phases = (
            ", ".join(f"{phase.name} {phase.end - phase.start:g}s" for phase in run.timeline.phases) for run in (a, b)
        )
        raise UsageError(f"these runs cannot be compared: their phases differ ({' | '.join(phases)})")
    pairs = list(_pairs(judged_a, judged_b))
    scopes = dict.fromkeys(scope for scope, *_ in pairs)
    users_a, users_b = blocks_of(a, counters_a), blocks_of(b, counters_b)
    drawn_a = list(replicas(users_a, counters_a, scopes, Random("a"), draws))
    drawn_b = list(replicas(users_b, counters_b, scopes, Random("b"), draws))
    tail = CHANCE / (2 * max(1, len(pairs)))
    limit = t_quantile(1 - tail, max(1, min(len(users_a), len(users_b)) - 1))  # in units of a difference's noise
    differences = tuple(_difference(pair, drawn_a, drawn_b, limit) for pair in pairs)
    broken = [
        f"{which}: {check.says}"
        for which, judgement in (("the first run", judged_a), ("the second run", judged_b))
        for check in judgement.checks
        if not check.ok
    ]
    if a.info.speed != b.info.speed:
        speeds = f"{a.info.speed:g} and {b.info.speed:g}"
        broken.append(f"the runs had different speeds, {speeds}: run them at the same one")
    return Comparison(differences, tuple(broken), tuple(_notes(first, second, differences)))


def _notes(first: JudgedRun, second: JudgedRun, found: Sequence[Difference]) -> Iterator[str]:
    a, b = first.evidence, second.evidence
    if a.info.seed != b.info.seed:
        yield f"their seeds differ, {a.info.seed} and {b.info.seed}"
    fields = type(a.scenario).model_fields
    if differ := [name for name in fields if getattr(a.scenario, name) != getattr(b.scenario, name)]:
        yield f"their scenarios differ in {', '.join(differ)}"
    busy = [fmean(sample.machine_cpu for sample in run.health) if run.health else 0.0 for run in (a, b)]
    if abs(busy[0] - busy[1]) > BUSIER:
        shares = " and ".join(format_percent(share) for share in busy)
        yield f"the machine was busy to {shares}: a part of the difference in latencies may be the machine's"
    # In the baseline a client meets no failure to which it could react, so a difference has another cause.
    baseline = first.counters.disturbance.baseline
    calm = next((phase.name for phase in a.timeline.phases if baseline and phase.end == baseline[1]), None)
    apart = [each.measure for each in found if each.scope == Scope(phase=calm) and each.change in {"better", "worse"}]
    if calm is not None and apart:
        yield f"they differ before anything went wrong, in {', '.join(apart)} of {calm}: so may what comes later"


def _pairs(a: Judgement, b: Judgement) -> Iterator[_Pair]:
    """The measures of the scopes that both runs have, with enough prompts in both."""
    rows = {row.scope: row.values for row in b.measures}
    for row in a.measures:
        if row.scope not in rows or row.scope.tier is not None or row.scope.provider is not None:
            continue
        counts = (row.values["prompts"], rows[row.scope]["prompts"])
        if any(not isinstance(count, Known) or count.number < MIN_PROMPTS for count in counts):
            continue
        for measure in shown("compare"):
            first, second = row.values[measure.name], rows[row.scope][measure.name]
            if not isinstance(first, Undefined) and not isinstance(second, Undefined):
                yield row.scope, measure.name, first, second


def _difference(pair: _Pair, drawn_a: Sequence[Replica], drawn_b: Sequence[Replica], limit: float) -> Difference:
    scope, measure, a, b = pair
    key = (scope, measure)
    both = zip(drawn_a, drawn_b, strict=True)
    apart = sorted(_apart(first[key], second[key]) for first, second in both if key in first and key in second)
    if len(apart) < len(drawn_a) / 2:
        return Difference(scope, measure, a, b, None, None, "unknown")
    low, high = apart[int(0.025 * len(apart))], apart[int(0.975 * len(apart))]
    return Difference(scope, measure, a, b, low, high, _change(measure, apart, _number(a), _number(b), limit))


def _number(value: Value) -> float:
    return value.number if isinstance(value, Known) else math.inf if isinstance(value, Beyond) else math.nan


def _apart(a: float, b: float) -> float:
    """b - a; 0 when both are infinite."""
    return 0.0 if a == b else b - a


def _change(measure: str, apart: Sequence[float], a: float, b: float, limit: float) -> Change:
    """By b - a in units of its noise; where one of them is infinite, by whether every replica agrees."""
    difference = _apart(a, b)
    matters = MATTERS * max((value for value in (a, b) if math.isfinite(value)), default=0.0)
    if TABLE[measure].unit == "share":
        matters = MATTERS_SHARE
    if difference == 0 or abs(difference) < matters:
        return "same"
    if not all(map(math.isfinite, (*apart, difference))):
        certain = math.isinf(difference) and all(each == difference for each in apart)
    else:
        # Replicas that hardly vary differ by less than the width of a latency's bin, which is noise as well.
        noise = max(stdev(apart), 0.01 * abs(fmean(apart)))
        certain = abs(difference) > limit * noise
    if not certain:
        return "same"
    return "better" if (difference > 0) == (TABLE[measure].better == "high") else "worse"
