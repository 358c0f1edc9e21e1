"""Two runs in, their differences beyond chance out. Pure: the same runs give the same comparison.

A difference is worse (or better) when it is large enough to matter and further from 0 than its own noise explains,
corrected for the number of differences (Bonferroni, 5 % for all together): two runs of the same client hardly ever
differ. It is unknown when the noise could hide a large one: few prompts do not show that two clients are the same.
Where the phases of the runs differ, those with the same name and length are compared. A comparison is invalid when one
of the runs is, or when they ran at different speeds, because the speed multiplies the delays that the machine adds to
every answer.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal, NamedTuple, get_args

from mockbot.errors import UsageError
from mockbot.evidence.noise import Division, Noise, Spread, limits, noise_of, number
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope_counters import ScopeCounters, counters_of
from mockbot.evidence.student_t import t_quantile
from mockbot.evidence.verdict import JudgedRun
from mockbot.measures.outages import HOLD, WINDOW, WorstOutage
from mockbot.measures.scope import Scope
from mockbot.measures.system import fail_over_time, first_return, laundered, upstream_per_prompt
from mockbot.measures.table import TABLE, shown
from mockbot.measures.text import format_value
from mockbot.measures.values import Known, Undefined, Value
from mockbot.scenario.shorten import MIN_PROMPTS
from mockbot.units.formatting import format_percent

Change = Literal["better", "worse", "traded", "same", "unknown"]  # traded: fewer attempts, and fewer answers
_Pair = tuple[Scope, str, Value, Value]  # a measure of a scope, in both runs
MATTERS, MATTERS_SHARE = 0.05, 0.005  # of the larger value; of a share, half a percentage point
LARGE, LARGE_SHARE = 0.5, 0.2  # the same; not "same" while the interval holds such a difference
BUSIER = 0.15  # share of the machine
OF_A_SYSTEM = (
    upstream_per_prompt,
    laundered,
    fail_over_time,
    first_return,
)  # told as they are: their noise is not known
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


class _Side(NamedTuple):
    run: RunCounters
    noise: Noise


@dataclass(frozen=True, slots=True)
class Comparison:
    """`broken`: why the comparison is invalid, or empty. `notes`: what else may explain a difference."""

    differences: tuple[Difference, ...]
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Difference, ...]:
        """Where b is worse beyond noise."""
        return self.having("worse")

    @property
    def decided(self) -> bool:
        """Whether answers and attempts are known for the whole run, or else for each phase that is compared.

        Durations may stay unknown, because a percentile near its end needs many prompts.
        """
        widest = min((each.scope.phase is not None for each in self.differences), default=None)
        return widest is not None and not any(
            each.change == "unknown" and TABLE[each.measure].unit != "duration"
            for each in self.differences
            if each.scope.group is None and (each.scope.phase is not None) == widest
        )

    def having(self, change: Change) -> tuple[Difference, ...]:
        """The differences of this kind."""
        return tuple(each for each in self.differences if each.change == change)


def compare(first: JudgedRun, second: JudgedRun) -> Comparison:
    """Every measure of what both runs have: of all when their phases are the same, or else of those that are.

    Raises UsageError when no phase of the one has the name and the length of one of the other.
    """
    lengths = [_lengths(run) for run in (first, second)]
    common = {name for name, length in lengths[0].items() if lengths[1].get(name) == length}
    if not common:
        phases = (", ".join(f"{name} {length:g}s" for name, length in each.items()) for each in lengths)
        raise UsageError(
            f"these runs cannot be compared: no phase is the same in both ({' | '.join(phases)}); "
            "take two runs of one scenario"
        )
    same = first.evidence.timeline.phases == second.evidence.timeline.phases
    pairs = [pair for pair in _pairs(first, second) if same or pair[0].phase in common]
    scopes = dict.fromkeys(scope for scope, *_ in pairs)
    sides = [_Side(run.counters, noise_of(run.evidence, run.counters, scopes)) for run in (first, second)]
    tail = CHANCE / (2 * max(1, len(pairs)))
    differences = tuple(_less_is_not_better([_difference(pair, sides, tail) for pair in pairs]))
    return Comparison(differences, tuple(_broken(first, second)), tuple(_notes(first, second, differences)))


def _lengths(run: JudgedRun) -> dict[str, float]:
    return {phase.name: phase.end - phase.start for phase in run.evidence.timeline.phases}


def _broken(first: JudgedRun, second: JudgedRun) -> Iterator[str]:
    for which, run in (("the first run", first), ("the second run", second)):
        yield from (f"{which}: {check.says}" for check in run.judgement.checks if not check.ok)
    if (a := first.evidence.info.speed) != (b := second.evidence.info.speed):
        yield f"the runs had different speeds, {a:g} and {b:g}: run them at the same one"


def _notes(first: JudgedRun, second: JudgedRun, found: Sequence[Difference]) -> Iterator[str]:
    a, b = first.evidence, second.evidence
    if a.timeline.phases != b.timeline.phases:
        one, other = _lengths(first), _lengths(second)
        names = [name for name in one | other if one.get(name) != other.get(name)]
        lasts = [[f"{each[name]:g}s" if name in each else "not there" for each in (one, other)] for name in names]
        left_out = [f"{name} ({' and '.join(each)})" for name, each in zip(names, lasts, strict=True)]
        yield f"their phases differ; left out: {', '.join(['the whole run', *left_out])}"
    if a.info.seed != b.info.seed:
        yield f"their seeds differ, {a.info.seed} and {b.info.seed}"
    fields = type(a.scenario).model_fields.keys() - {"seed"}
    if differ := [name for name in sorted(fields) if getattr(a.scenario, name) != getattr(b.scenario, name)]:
        yield f"their scenarios differ in {', '.join(differ)}"
    busy = [fmean(sample.machine_cpu for sample in run.health) if run.health else 0.0 for run in (a, b)]
    if abs(busy[0] - busy[1]) > BUSIER:
        shares = " and ".join(format_percent(share) for share in busy)
        yield f"the machine was busy to {shares}: a part of the difference in latencies may be the machine's"
    yield from _outside_the_table(first, second)
    # In the baseline a client meets no failure to which it could react, so a difference has another cause.
    baseline = first.counters.disturbance.baseline
    calm = next((phase.name for phase in a.timeline.phases if baseline and phase.end == baseline[1]), None)
    apart = [each.measure for each in found if each.scope == Scope(phase=calm) and each.change in {"better", "worse"}]
    if calm is not None and apart:
        yield f"they differ before anything went wrong, in {', '.join(apart)} of {calm}: so may what comes later"


def _outside_the_table(first: JudgedRun, second: JudgedRun) -> Iterator[str]:
    """Measures of a system that is between crowd and providers, and expectations with another result; no intervals."""
    rows = {row.scope: row.values for row in second.judgement.measures}
    scopes = [
        row for row in first.judgement.measures if row.scope in rows and row.scope in {Scope(), Scope(row.scope.phase)}
    ]
    for name in (measure.name for measure in OF_A_SYSTEM):
        pairs = [
            (row.scope, *(format_value(name, each[name]) for each in (row.values, rows[row.scope]))) for row in scopes
        ]
        if told := [f"{scope} {one} and {other}" for scope, one, other in pairs if one != other]:
            yield f"{name}, without an interval: {', '.join(told)}"
    results = {(each.measure, each.expected_text, each.scope): each.result for each in second.judgement.expectations}
    for each in first.judgement.expectations:
        other = results.get((each.measure, each.expected_text, each.scope), each.result)
        if other != each.result:
            yield f"expectation {each.measure} {each.expected_text} ({each.scope}): {each.result} and {other}"


def _pairs(first: JudgedRun, second: JudgedRun) -> Iterator[_Pair]:
    """The measures of the scopes that both runs have, with enough prompts in both; a lone group is its whole scope."""
    rows = {row.scope: row.values for row in second.judgement.measures}
    lone = min(len(run.evidence.scenario.crowd) for run in (first, second)) == 1
    for row in first.judgement.measures:
        scope = row.scope
        if scope not in rows or scope.tier is not None or scope.provider is not None or (lone and scope.group):
            continue
        counts = (row.values["prompts"], rows[scope]["prompts"])
        if any(not isinstance(count, Known) or count.number < MIN_PROMPTS for count in counts):
            continue
        for measure in shown("compare"):
            one, other = row.values[measure.name], rows[scope][measure.name]
            if not isinstance(one, Undefined) and not isinstance(other, Undefined):
                yield scope, measure.name, one, other


def _difference(pair: _Pair, sides: Sequence[_Side], tail: float) -> Difference:
    """By the widest of the intervals that the divisions give."""
    scope, measure, a, b = pair
    likely, certain = _interval(pair, sides, 0.025), _interval(pair, sides, tail)
    if likely is None or certain is None:
        return Difference(scope, measure, a, b, None, None, "unknown")
    return Difference(scope, measure, a, b, *likely, _change(measure, number(a), number(b), likely, certain))


def _interval(pair: _Pair, sides: Sequence[_Side], tail: float) -> tuple[float, float] | None:
    """Of b - a, with `tail` on either side; the widest that the divisions give, None when none of them can be made."""
    scope, measure, a, b = pair
    both = [counters_of(side.run, scope) for side in sides]
    least = _independent(both, (a, b)) if TABLE[measure].unit == "share" else (0.0, 0.0)
    found = []
    for division in get_args(Division):
        spreads = [side.noise[division].get((scope, measure), ()) for side in sides]
        if any(math.isnan(each.variance) for own in spreads for each in own):
            return None  # undefined without one of the parts
        if all(spreads):
            t = _quantile(tail, [*spreads[0], *spreads[1]])
            sums = (math.fsum(each.variance for each in own) for own in spreads)
            far = (t * math.sqrt(max(each)) for each in zip(sums, least, strict=True))
            limit_a, limit_b = (limits(counted, measure, each) for counted, each in zip(both, far, strict=True))
            found.append(_apart_within(number(a), number(b), limit_a, limit_b))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _independent(both: Sequence[ScopeCounters], values: Sequence[Value]) -> tuple[float, float]:
    """The least variances of a share: few failures may happen to be spread evenly, or not to occur in one run."""
    asked_a, asked_b = (counted.cohort.prompts for counted in both)
    share = (number(values[0]) * asked_a + number(values[1]) * asked_b) / (asked_a + asked_b)
    return share * (1 - share) / asked_a, share * (1 - share) / asked_b


def _apart_within(
    a: float, b: float, limit_a: tuple[float, float], limit_b: tuple[float, float]
) -> tuple[float, float]:
    """The limits of b - a from those of both (Zou and Donner, Stat. Med. 27(10), 2008); "never" may be one."""
    down = math.hypot(_apart(limit_b[0], b), _apart(a, limit_a[1]))
    up = math.hypot(_apart(b, limit_b[1]), _apart(limit_a[0], a))
    return -math.inf if math.isinf(down) else _apart(a, b) - down, math.inf if math.isinf(up) else _apart(a, b) + up


def _quantile(tail: float, spreads: Sequence[Spread]) -> float:
    """Of Student's t with as many degrees of freedom as the sum of these variances has (Satterthwaite 1946)."""
    total = math.fsum(each.variance for each in spreads)
    squares = math.fsum(each.variance**2 / each.freedom for each in spreads)
    freedom = total**2 / squares if squares else min(each.freedom for each in spreads)
    return t_quantile(1 - tail, max(1, int(freedom)))


def _apart(a: float, b: float) -> float:
    """b - a; 0 when both are infinite."""
    return 0.0 if a == b else b - a


def _change(measure: str, a: float, b: float, likely: tuple[float, float], certain: tuple[float, float]) -> Change:
    """Different when it matters and is certain; unknown when the 95 % interval holds a difference that is large."""
    difference, largest = _apart(a, b), max((value for value in (a, b) if math.isfinite(value)), default=0.0)
    matters, large = MATTERS * largest, LARGE * largest
    if TABLE[measure].unit == "share":
        matters, large = MATTERS_SHARE, LARGE_SHARE
    elif isinstance(TABLE[measure].formula, WorstOutage):
        matters, large = max(matters, WINDOW), max(large, HOLD)  # it looks at windows, so it is known to one of them
    if abs(difference) >= matters and not certain[0] <= 0 <= certain[1]:
        return "better" if (difference > 0) == (TABLE[measure].better == "high") else "worse"
    return "unknown" if max(-likely[0], likely[1]) > large else "same"


def _less_is_not_better(differences: Sequence[Difference]) -> Iterator[Difference]:
    """A client that gives up sooner makes fewer attempts: that is no gain where it also answers fewer prompts."""
    answered = {each.scope: number(each.b) - number(each.a) for each in differences if each.measure == "answered"}
    for each in differences:
        fewer = each.measure == "attempts_per_prompt" and answered[each.scope] <= -MATTERS_SHARE
        yield replace(each, change="traded") if fewer and each.change == "better" else each
