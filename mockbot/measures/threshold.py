"""A measure's name and text like ">= 99.5%" in, an operator and a number in the measure's unit out. Pure.

A threshold may be a multiple of what the measure is in another phase: "<= 3x steady".

A time that never came is infinite: `recovery_time: "> 5m"` holds for it and "<= 5m" does not.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Literal, assert_never

from mockbot.measures.table import TABLE
from mockbot.measures.text import UNITS
from mockbot.measures.values import Beyond, Known, Undefined, Value

Op = Literal["<=", "<", ">=", ">", "=="]
_MULTIPLE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) *x +([a-z0-9_-]+)")
_THRESHOLD = re.compile(r"(<=|>=|==|<|>) *([^\s=].*)")
_HOLDS: dict[Op, Callable[[float, float], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt, "==": eq}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` in the measure's unit: a share 0..1, seconds, events per second, or a plain number.

    `phase`: the one whose value `value` is a multiple of; None where it is a value itself.
    `accuracy`: relative, of what is measured; a number that is as close as that to `value` equals it.
    """

    op: Op
    value: float
    accuracy: float = 0.0
    phase: str | None = None

    def of(self, base: float) -> "Threshold":
        """The threshold itself, where the phase has this value."""
        return Threshold(self.op, self.value * base, self.accuracy)

    def holds(self, measured: float) -> bool:
        """Whether a number meets the threshold; `math.inf` is a time that never came."""
        equal = abs(measured - self.value) <= self.accuracy * self.value
        return _HOLDS[self.op](self.value if equal else measured, self.value)

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


def parse_threshold(measure: str, text: str) -> Threshold:
    """Read `text` in the unit of `measure`. Raises ValueError with the mistake and an example."""
    unit = UNITS[TABLE[measure].unit]
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a threshold; write it like {unit.example!r}")
    phase, written = None, match[2].strip()
    try:
        if multiple := _MULTIPLE.fullmatch(written):
            value, phase = float(multiple[1]), multiple[2]
        else:
            value = unit.parse(written)
    except ValueError as error:
        raise ValueError(f"{text!r} does not fit {measure}, {unit.is_a}: {error}") from None
    return Threshold(next(op for op in _HOLDS if op == match[1]), value, TABLE[measure].accuracy, phase)
