"""What a measure may come out as: a number, a time that never came, a lower bound, or nothing, with the reason. Pure.

The rule: a measure that could not be taken is never a number, and never meets an expectation.
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
    """Censored: the run ended before it was over, so that it is at least `bound`, and how much more is not known."""

    bound: float
    why: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """Cannot be said of this scope or from this evidence."""

    why: str


Value = Known | Beyond | Undefined


def ratio(part: float, whole: float, why: str) -> Known | Undefined:
    """part / whole, or why there is no such thing when `whole` is nothing."""
    return Known(part / whole) if whole else Undefined(why)


def holds(threshold: Threshold, value: Value) -> bool | None:
    """Whether the value meets the threshold; None when that is not known."""
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
