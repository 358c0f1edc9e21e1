"""A measure's name and text like ">= 99.5%" in, an operator and a number in the measure's unit out. Pure.

A time that never came is infinite: `recovery_time: "> 5m"` holds for it and "<= 5m" does not.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Literal, assert_never

from mockbot.measures.measure import Unit
from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.units.quantities import parse_duration, parse_rate, parse_share

Op = Literal["<=", "<", ">=", ">", "=="]
_THRESHOLD = re.compile(r"(<=|>=|==|<|>) *([^\s=].*)")
EXAMPLES: dict[Unit, str] = {
    "share": ">= 99.5%", "duration": "<= 3m", "rate": ">= 2/s", "number": "<= 3", "count": "<= 3",
}  # fmt: skip
_HOLDS: dict[Op, Callable[[float, float], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt, "==": eq}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` in the measure's unit: a share 0..1, seconds, events per second, or a plain number."""

    op: Op
    value: float

    def holds(self, measured: float) -> bool:
        """Whether a number meets the threshold; `math.inf` is a time that never came."""
        return _HOLDS[self.op](measured, self.value)

    def met_by(self, value: Value) -> bool | None:
        """Whether the value meets the threshold; None when that is unknown."""
        match value:
            case Known(number):
                return self.holds(number)
            case Beyond(bound):
                least, most = self.holds(bound), self.holds(math.inf)
                if self.op == "==":
                    return False if bound > self.value else None
                return least if least == most else None  # certain only when the least and the greatest value agree
            case Undefined():
                return None
            case _:
                assert_never(value)


def _plain_number(text: str) -> float:
    if not re.fullmatch(r"\d{1,15}(\.\d{1,15})?", text, re.ASCII):  # a float holds 15 digits exactly
        raise ValueError(f"{text!r} is not a plain number; write it like 3 or 1.5")
    return float(text)


_PARSERS: dict[Unit, Callable[[str], float]] = {
    "share": parse_share,
    "duration": parse_duration,
    "rate": parse_rate,
    "number": _plain_number,
    "count": _plain_number,
}


def parse_threshold(measure: str, text: str) -> Threshold:
    """Read `text` in the unit of `measure`. Raises ValueError with the mistake and an example."""
    unit = TABLE[measure].unit
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a threshold; write it like {EXAMPLES[unit]!r}")
    try:
        value = _PARSERS[unit](match[2].strip())
    except ValueError as error:
        what = "a plain number" if unit in {"number", "count"} else f"a {unit}"
        raise ValueError(f"{text!r} does not fit {measure}, {what}: {error}") from None
    return Threshold(next(op for op in _HOLDS if op == match[1]), value)
