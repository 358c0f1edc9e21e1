"""A measure's value in, its text out: "99.6%", "4m05s", "3.2/s", "never". Pure.

The rule: a share is rounded in its worse direction, so that it never looks better than it is.
"""

import math
from typing import assert_never

from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.units.formatting import format_count, format_duration, format_number, format_rate, format_share


def format_value(measure: str, value: Value) -> str:
    """The value with its unit; "-" when it is undefined. Raises KeyError for an unknown measure."""
    match value:
        case Known(number):
            return "never" if math.isinf(number) else format_in_unit(measure, number)
        case Beyond(bound):
            return f"> {format_in_unit(measure, bound)}"
        case Undefined():
            return "-"
        case _:
            assert_never(value)


def format_in_unit(measure: str, number: float) -> str:
    """A finite number with the measure's unit. Raises KeyError for an unknown measure."""
    match TABLE[measure].unit:
        case "share":
            return format_share(number, up=TABLE[measure].better == "low")
        case "duration":
            return format_duration(number)
        case "rate":
            return format_rate(number)
        case "number":
            return format_number(number)
        case "count":
            return format_count(number)
        case unit:
            assert_never(unit)
