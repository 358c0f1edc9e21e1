"""The value of a measure: a number, a time that never came, a lower bound, or undefined with the reason. Pure.

The rule: a measure that cannot be computed is never a number, and never meets an expectation.
"""

from dataclasses import dataclass


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
