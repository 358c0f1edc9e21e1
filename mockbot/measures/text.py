"""How the unit of a measure is written: values out ("99.6%", "4m05s", "3.2/s", "never"), numbers in. Pure.

The rule: a share is rounded in its worse direction, so that it never looks better than it is.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, assert_never

from mockbot.measures.measure import Unit
from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.units.formatting import format_count, format_duration, format_number, format_rate, format_share
from mockbot.units.quantities import parse_duration, parse_rate, parse_share


def _parse_plain(text: str) -> float:
    if not re.fullmatch(r"\d{1,15}(\.\d{1,15})?", text, re.ASCII):  # a float holds 15 digits exactly
        raise ValueError(f"{text!r} is not a plain number; write it like 3 or 1.5")
    return float(text)


class UnitText(NamedTuple):
    """`is_a`: in an error. `example`: of a threshold. `suffix`: of a metric's name, as Prometheus wants it."""

    is_a: str
    parse: Callable[[str], float]
    format: Callable[[float], str]
    example: str
    suffix: str


UNITS: Mapping[Unit, UnitText] = {
    "share": UnitText("a share", parse_share, format_share, ">= 99.5%", "_ratio"),
    "duration": UnitText("a duration", parse_duration, format_duration, "<= 3m", "_seconds"),
    "rate": UnitText("a rate", parse_rate, format_rate, ">= 2/s", "_per_second"),
    "number": UnitText("a plain number", _parse_plain, format_number, "<= 3", ""),
    "count": UnitText("a plain number", _parse_plain, format_count, "<= 3", ""),
}

NOT_SEEN = "(too early to tell)"


def format_value(measure: str, value: Value) -> str:
    """The value with its unit; "-" when it is undefined. Raises KeyError for an unknown measure."""
    match value:
        case Known(number):
            return "never" if math.isinf(number) else format_in_unit(measure, number)
        case Beyond(bound):
            # A bound of nothing says nothing: "> 0s" was read as a time.
            return (
                f"> {format_in_unit(measure, bound)}" if bound >= 1 or TABLE[measure].unit != "duration" else NOT_SEEN
            )
        case Undefined():
            return "-"
        case _:
            assert_never(value)


def format_against(measure: str, value: Value, limit: float) -> str:
    """The value, with the digits that tell it from a limit that would be written the same."""
    text, unit = format_value(measure, value), TABLE[measure].unit
    # Compared as mockbot writes it: of "<= 3", "3.00" is no other number, and of "<= 60s", "1m00s" is none.
    if not isinstance(value, Known) or value.number == limit or text != format_in_unit(measure, limit):
        return text
    match unit:
        case "share":
            return f"{100 * value.number:.6g}%"
        case "duration":
            return f"{value.number:.6g}s"
        case _:
            return f"{value.number:.6g}"


def format_in_unit(measure: str, number: float) -> str:
    """A finite number with the measure's unit. Raises KeyError for an unknown measure."""
    if TABLE[measure].unit == "share":
        return format_share(number, up=TABLE[measure].better == "low")
    return UNITS[TABLE[measure].unit].format(number)
