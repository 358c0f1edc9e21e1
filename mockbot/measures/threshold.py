"""Turn ">= 99.5%" beside a measure's name into an operator and a number in that measure's unit. Pure.

Not recovered is a fact, not a gap: a time that never came is infinite, so `recovery_time: "> 5m"` holds for it and
"<= 5m" does not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Literal, assert_never

from mockbot.measures.catalogue import CATALOGUE, Unit
from mockbot.units.quantities import parse_duration, parse_rate, parse_share

Op = Literal["<=", "<", ">=", ">", "=="]
_THRESHOLD = re.compile(r"(<=|>=|==|<|>) *([^\s=].*)")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
_EXAMPLES: dict[Unit, str] = {"share": ">= 99.5%", "duration": "<= 3m", "rate": ">= 2/s"}
_HOLDS: dict[Op, Callable[[float, float], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt, "==": eq}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` in the measure's unit: a share 0..1, seconds, events per second, or a plain number."""

    op: Op
    value: float

    def holds(self, measured: float) -> bool:
        """Whether a measured value meets it; `math.inf` is a time that never came."""
        return _HOLDS[self.op](measured, self.value)


def parse_threshold(measure: str, text: str) -> Threshold:
    """Read `text` in the unit of `measure`; ValueError says what is wrong with it and how it is written."""
    unit = CATALOGUE[measure].unit
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a threshold; write it like {_EXAMPLES.get(unit, '<= 3')!r}")
    try:
        value = _parse(unit, match[2].strip())
    except ValueError as error:
        what = "a plain number" if unit in {"number", "count"} else f"a {unit}"
        raise ValueError(f"{text!r} does not fit {measure}, {what}: {error}") from None
    return Threshold(next(op for op in _HOLDS if op == match[1]), value)


def _parse(unit: Unit, text: str) -> float:
    match unit:
        case "share":
            return parse_share(text)
        case "duration":
            return parse_duration(text)
        case "rate":
            return parse_rate(text)
        case "number" | "count":
            if not _NUMBER.fullmatch(text):
                raise ValueError(f"{text!r} is not a plain number; write it like 3 or 1.5")
            return float(text)
        case _:
            assert_never(unit)
