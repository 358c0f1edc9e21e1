"""What an explanation consists of: five answers, each a sentence, a formula, its inputs, and figures. Values only.

A figure is one number from up to three sources: theory, the simulation (mean and 95 % interval over seeds) and a live
run. Infinite is "never"; None is "cannot be said".
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal

from mockbot.measures.text import format_in_unit
from mockbot.simulate.seed_statistics import Interval

Key = Literal["refreshing", "how-long", "failing-over", "telling", "paying"]
Measure = Literal["recovery_time", "availability", "goodput", "overshoot"]  # a duration, a share, a rate, a ratio


@dataclass(frozen=True, slots=True)
class Figure:
    """`measure` defines the unit, as everywhere in mockbot."""

    what: str
    measure: Measure
    theory: float | None = None
    simulated: Interval | None = None
    live: float | None = None

    def words(self) -> tuple[str, str, str]:
        """Theory, simulated, live."""
        simulated = "-" if self.simulated is None else self.simulated.words(self.measure)
        return in_words(self.measure, self.theory), simulated, in_words(self.measure, self.live)

    def middle(self) -> float:
        """The mean of the simulated runs; infinite when most of them say never."""
        return math.inf if self.simulated is None else self.simulated.middle()

    def json(self) -> dict[str, object]:
        """Numbers, with "never" for what is infinite."""
        each = self.simulated
        return {
            "what": self.what,
            "measure": self.measure,
            "theory": "never" if self.theory == math.inf else self.theory,
            "simulated": each and {"mean": each.mean, "half": each.half, "known": each.known, "seeds": each.runs},
            "live": "never" if self.live == math.inf else self.live,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """`staged`: what had to be changed so that the question applies to this scenario; empty when it does."""

    key: Key
    question: str
    sentence: str
    formula: str
    source: str
    put_in: tuple[str, ...]
    figures: tuple[Figure, ...]
    staged: str = ""
    notes: tuple[str, ...] = ()

    def json(self) -> dict[str, object]:
        """All of it, for machines."""
        return asdict(self) | {"figures": [each.json() for each in self.figures]}


def in_words(measure: Measure, number: float | None) -> str:
    """A number with its unit, "never" or "-"."""
    if number is None:
        return "-"
    return "never" if math.isinf(number) else format_in_unit(measure, number)


def duration_words(seconds: float | None) -> str:
    """A number of seconds, "never" or "-"."""
    return in_words("recovery_time", seconds)
