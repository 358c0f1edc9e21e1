"""The value of a measure: a number, a time that never came, a lower bound, or undefined with the reason. Pure.

The rule: a measure that cannot be computed is never a number, and never meets an expectation.
"""

import math
from dataclasses import dataclass
from typing import assert_never

from mockbot.measures.threshold import Threshold


@dataclass(frozen=True, slots=True)
class Known:
    """A number in the measure's unit; infinite is a time that never came (a prompt that was never answered)."""

    number: float


@dataclass(frozen=True, slots=True)
class Beyond:
    """Censored: the run ended first, so the value is at least `bound` and otherwise unknown."""

    bound: float
    why: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """Not defined for this scope, or not measurable with this evidence."""

    why: str


Value = Known | Beyond | Undefined


def ratio(part: float, whole: float, why: str) -> Known | Undefined:
    """part / whole; undefined for the reason `why` when `whole` is 0."""
    return Known(part / whole) if whole else Undefined(why)


def holds(threshold: Threshold, value: Value) -> bool | None:
    """Whether the value meets the threshold; None when that is unknown."""
    match value:
        case Known(number):
            return threshold.holds(number)
        case Beyond(bound):
            least, most = threshold.holds(bound), threshold.holds(math.inf)
            if threshold.op == "==":
                return False if bound > threshold.value else None
            return least if least == most else None  # certain only when the least and the greatest value agree
        case Undefined():
            return None
        case _:
            assert_never(value)
