"""Several runs of one scenario into one table: each measure's mean with its 95 % interval, each verdict's count. Pure.

A run that cannot tell a measure, or whose value lies beyond its end, does not count for the mean; the table shows how
many do.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from mockbot.evidence.judgement import Judgement, Verdict
from mockbot.evidence.student_t import t_quantile
from mockbot.measures.table import shown
from mockbot.measures.text import format_in_unit
from mockbot.measures.values import Beyond, Known, Undefined, Value


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and half its 95 % interval over `known` of `runs` runs; no half with one run, no mean with none.

    `never`: the runs that ended before the value was reached.
    """

    mean: float | None
    half: float | None
    known: int
    runs: int
    never: int = 0

    def middle(self) -> float:
        """The mean; infinite when most runs have none."""
        return math.inf if self.mean is None or 2 * self.known < self.runs else self.mean

    def words(self, measure: str) -> str:
        """ "98.2% ± 0.4%", with "(3/5)" when not every run has a value; "never (5/5)", or "-" when none can tell."""
        if self.mean is None:
            return f"never ({self.never}/{self.runs})" if self.never else "-"
        text = format_in_unit(measure, self.mean)
        if self.half is not None:
            text += f" ± {format_in_unit(measure, self.half)}"
        return text if self.known == self.runs else f"{text} ({self.known}/{self.runs})"


def interval(values: Sequence[float | None]) -> Interval:
    """Of the values that are finite. None: it could not be told; infinite: never."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    never = values.count(math.inf)
    if not known:
        return Interval(None, None, 0, len(values), never)
    mean = math.fsum(known) / len(known)
    if len(known) == 1:
        return Interval(mean, None, 1, len(values), never)
    variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    t = t_quantile(0.975, len(known) - 1)  # two-sided, 95 %
    return Interval(mean, t * math.sqrt(variance / len(known)), len(known), len(values), never)


@dataclass(frozen=True, slots=True)
class Spread:
    """The verdicts and measures of several runs."""

    verdicts: Mapping[Verdict, int]
    measures: Mapping[str, Interval]

    def verdict_words(self) -> str:
        """ "pass 4/5, fail 1/5"."""
        runs = sum(self.verdicts.values())
        return ", ".join(f"{verdict} {count}/{runs}" for verdict, count in self.verdicts.items())


def spread_of(judgements: Sequence[Judgement]) -> Spread:
    """Of the whole run, in the order of the table."""
    verdicts = Counter(judgement.verdict for judgement in judgements)
    runs = [judgement.measures[0].values for judgement in judgements]
    values = {measure.name: [run[measure.name] for run in runs] for measure in shown("seeds")}
    return Spread(dict(verdicts), {name: interval(list(map(_number, each))) for name, each in values.items()})


def _number(value: Value) -> float | None:
    match value:
        case Known(number):
            return number
        case Beyond():
            return math.inf
        case Undefined():
            return None
        case _:
            assert_never(value)
