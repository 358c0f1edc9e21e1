"""A measure's name and text like ">= 99.5%" in, an operator and a number in the measure's unit out. Pure.

A time that never came is infinite: `recovery_time: "> 5m"` holds for it and "<= 5m" does not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Literal

from mockbot.measures.catalogue import CATALOGUE, Unit
from mockbot.units.quantities import parse_duration, parse_rate, parse_share

Op = Literal["<=", "<", ">=", ">", "=="]
_THRESHOLD = re.compile(r"(<=|>=|==|<|>) *([^\s=].*)")
_EXAMPLES: dict[Unit, str] = {"share": ">= 99.5%", "duration": "<= 3m", "rate": ">= 2/s"}
_HOLDS: dict[Op, Callable[[float, float], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt, "==": eq}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` in the measure's unit: a share 0..1, seconds, events per second, or a plain number."""

    op: Op
    value: float

    def holds(self, measured: float) -> bool:
        """Whether a measured value meets the threshold; `math.inf` is a time that never came."""
        return _HOLDS[self.op](measured, self.value)


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
    unit = CATALOGUE[measure].unit
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a threshold; write it like {_EXAMPLES.get(unit, '<= 3')!r}")
    try:
        value = _PARSERS[unit](match[2].strip())
    except ValueError as error:
        what = "a plain number" if unit in {"number", "count"} else f"a {unit}"
        raise ValueError(f"{text!r} does not fit {measure}, {what}: {error}") from None
    return Threshold(next(op for op in _HOLDS if op == match[1]), value)
