"""What an explanation is made of: five answers, each a sentence, a formula, what was put in, and figures. Values only.

A figure is one number told up to three times: by theory, by the simulation (mean and 95 % interval over seeds) and by
a live run. Infinite is "never"; None is "cannot be said".
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
    """`measure` says the unit, as everywhere in mockbot."""

    what: str
    measure: Measure
    theory: float | None = None
    simulated: Interval | None = None
    live: float | None = None

    def words(self) -> tuple[str, str, str]:
        """Theory, simulated, live."""
        simulated = "-" if self.simulated is None else self.simulated.words(self.measure)
        return told(self.measure, self.theory), simulated, told(self.measure, self.live)

    def middle(self) -> float:
        """The mean of the simulated runs; infinite when most of them say never."""
        return math.inf if self.simulated is None else middle(self.simulated)

    def json(self) -> dict[str, object]:
        """Numbers, with "never" for what is infinite."""
        told: dict[str, object] = {"what": self.what, "measure": self.measure, "theory": _number(self.theory)}
        seen = self.simulated
        names = seen and {"mean": seen.mean, "half": seen.half, "known": seen.known, "seeds": seen.runs}
        return told | {"simulated": names, "live": _number(self.live)}


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


def told(measure: Measure, number: float | None) -> str:
    """A number with its unit, "never" or "-"."""
    if number is None:
        return "-"
    return "never" if math.isinf(number) else format_in_unit(measure, number)


def middle(simulated: Interval) -> float:
    """The mean; infinite when most runs say never."""
    mostly = simulated.mean is not None and 2 * simulated.known >= simulated.runs
    return simulated.mean if mostly and simulated.mean is not None else math.inf


def _number(number: float | None) -> float | str | None:
    return "never" if number is not None and math.isinf(number) else number
