"""What an explanation consists of: five answers, each a sentence, figures, and a law if one applies. Values only.

A figure is one number from up to three sources: theory, the simulated seeds, and a live run. Infinite is "never"; None
is "cannot be said".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mockbot.measures.text import format_in_unit
from mockbot.simulate.seed_statistics import Interval, interval

Key = Literal["refreshing", "how-long", "failing-over", "telling", "paying"]
Measure = Literal["recovery_time", "availability", "overshoot"]  # a duration, a share, a ratio
Change = Literal["more", "less", "same"]

LEAST: Mapping[Measure, float] = {"recovery_time": 1.0, "availability": 0.01, "overshoot": 0.01}  # that matters


@dataclass(frozen=True, slots=True)
class Figure:
    """`values`: one of each seed, in their order. `measure` defines the unit, as everywhere in mockbot."""

    what: str
    measure: Measure
    values: tuple[float | None, ...] = ()
    theory: float | None = None
    live: float | None = None

    @property
    def simulated(self) -> Interval:
        """The mean of the seeds with its interval."""
        return interval(self.values)

    def words(self) -> tuple[str, str, str]:
        """Theory, simulated, live."""
        return in_words(self.measure, self.theory), str(self), in_words(self.measure, self.live)

    def __str__(self) -> str:
        """The simulated mean with its interval."""
        return self.simulated.words(self.measure)

    def against(self, other: "Figure") -> Change:
        """Whether this is more or less than the other, seed by seed.

        "same" when chance explains the difference, or when it is too small to matter.
        """
        pairs = [(a, b) for a, b in zip(self.values, other.values, strict=True) if a is not None and b is not None]
        above = sum(math.isinf(a) - math.isinf(b) for a, b in pairs)
        if len(pairs) > 1 and abs(above) == len(pairs):
            return "more" if above > 0 else "less"
        apart = interval([a - b for a, b in pairs if math.isfinite(a - b)])
        if apart.mean is None or apart.half is None or abs(apart.mean) <= max(apart.half, LEAST[self.measure]):
            return "same"
        return "more" if apart.mean > 0 else "less"

    def json(self) -> dict[str, object]:
        """Numbers, with "never" for what is infinite."""
        each = self.simulated
        return {
            "what": self.what,
            "measure": self.measure,
            "theory": "never" if self.theory == math.inf else self.theory,
            "simulated": {"mean": each.mean, "half": each.half, "known": each.known, "seeds": each.runs},
            "live": "never" if self.live == math.inf else self.live,
        }


@dataclass(frozen=True, slots=True)
class Law:
    """A formula with what is put in and what it expects of figures; or `why_not`, and then nothing of it is told."""

    formula: str = ""
    source: str = ""
    put_in: tuple[str, ...] = ()
    expects: Mapping[str, float] = field(default_factory=dict)  # by the name of a figure
    says: str = ""
    why_not: str = ""

    def lines(self) -> tuple[str, ...]:
        """As every output tells it."""
        if self.why_not:
            return (f"No theory is shown: {self.why_not}.",)
        return (self.formula, f"({self.source})", *self.put_in)


@dataclass(frozen=True, slots=True)
class Answer:
    """`makes_sense`: false when the sentence says why the question makes none or has no answer; no figures then."""

    key: Key
    question: str
    sentence: str
    figures: tuple[Figure, ...] = ()
    law: Law | None = None
    variants: tuple[str, ...] = ()
    makes_sense: bool = True

    def lines(self) -> tuple[str, ...]:
        """What stands below the figures: the variants of the file, and the law."""
        return (*self.variants, *(self.law.lines() if self.law else ()))

    def json(self) -> dict[str, object]:
        """All of it, for machines."""
        figures = [each.json() for each in self.figures]
        whole = {"key": self.key, "question": self.question, "sentence": self.sentence, "figures": figures}
        return whole | {"notes": list(self.lines()), "makes_sense": self.makes_sense}


def in_words(measure: Measure, number: float | None) -> str:
    """A number with its unit, "never" or "-"."""
    if number is None:
        return "-"
    return "never" if math.isinf(number) else format_in_unit(measure, number)


def duration_words(seconds: float | None) -> str:
    """A number of seconds, "never" or "-"."""
    return in_words("recovery_time", seconds)
