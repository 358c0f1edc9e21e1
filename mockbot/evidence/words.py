"""Measures as people read them: "99.6%", "4m05s", "3.2/s", "never". Rounded so that nothing looks better than it was.
Pure.
"""

import math
from typing import Literal, assert_never

from mockbot.evidence.manners import HABITS
from mockbot.evidence.values import Beyond, Known, Undefined, Value

Unit = Literal["share", "duration", "rate", "number", "count"]

_SHARES = frozenset(
    {"answered", "availability", "user_uptime", "efficiency", "wasted_work", "failed_users", "budget_spent"}
)
_NUMBERS = frozenset(
    {"attempts_per_prompt", "amplification", "overshoot", "hysteresis", "fairness", "apdex"}
    | {"burn_rate", "burn_1h", "burn_6h", "burn_3d"}
)
_COUNTS = frozenset({"prompts", "exit_code", *HABITS})
_LOW_IS_GOOD = frozenset({"wasted_work", "failed_users", "budget_spent"})


def unit_of(measure: str) -> Unit:
    """Durations unless named otherwise."""
    if measure in _SHARES:
        return "share"
    if measure in _NUMBERS:
        return "number"
    if measure in _COUNTS:
        return "count"
    return "rate" if measure == "goodput" else "duration"


def value_words(measure: str, value: Value) -> str:
    """The value with its unit; "-" when it cannot be said."""
    match value:
        case Known(number) if math.isinf(number):
            return "never"
        case Known(number):
            return number_words(measure, number)
        case Beyond(bound):
            return f"> {number_words(measure, bound)}"
        case Undefined():
            return "-"
        case _:
            assert_never(value)


def number_words(measure: str, number: float) -> str:
    """A finite number in the measure's unit."""
    match unit_of(measure):
        case "share":
            return share_words(number, up=measure in _LOW_IS_GOOD)
        case "duration":
            return duration_words(number)
        case "rate":
            return f"{number:.3g}/s" if number >= 0.01 or not number else f"{number:.1g}/s"
        case "number":
            return f"{number:.2f}"
        case "count":
            return f"{number:,.0f}"
        case unit:
            assert_never(unit)


def share_words(share: float, *, up: bool = False) -> str:
    """Two decimals at most, rounded down (or up, where less is better): 0.99996 is no 100 %."""
    hundredths = round(share * 1e4, 6)
    whole = math.ceil(hundredths) if up else math.floor(hundredths)
    return f"{whole / 100:.4g}%" if whole < 10000 else "100%"


def duration_words(seconds: float) -> str:
    """Three digits: 312ms, 4.27s, 12.3s, 4m05s, 1h02m."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f}ms" if seconds else "0s"
    if seconds < 59.95:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"
