"""Turn ">= 99.5%" beside a measure's name into an operator and a number in that measure's unit. Pure.

Not recovered is a fact, not a gap: a time that never came is infinite, so `recovery_time: "> 5m"` holds for it and
"<= 5m" does not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Literal, assert_never

from mockbot.scenario.units import duration_text, parse_duration, parse_rate, parse_share, rate_text, share_text

Op = Literal["<=", "<", ">=", ">", "=="]
Unit = Literal["share", "duration", "rate", "number"]

UNITS: dict[str, Unit] = {
    "answered": "share",
    "availability": "share",
    "user_uptime": "share",
    "goodput": "rate",
    "efficiency": "share",
    "attempts_per_prompt": "number",
    "amplification": "number",
    "latency_p50": "duration",
    "latency_p95": "duration",
    "latency_p99": "duration",
    "latency_p999": "duration",
    "answered_p50": "duration",
    "answered_p95": "duration",
    "failed_p50": "duration",
    "first_token_p50": "duration",
    "first_token_p95": "duration",
    "time_to_detect": "duration",
    "first_success": "duration",
    "recovery_time": "duration",
    "affected_recovery": "duration",
    "wasted_work": "share",
    "overshoot": "number",
    "fairness": "number",
    "apdex": "number",
    "burn_rate": "number",
    "budget_spent": "share",
    "burn_1h": "number",
    "burn_6h": "number",
    "burn_3d": "number",
    "time_to_page": "duration",
    "hysteresis": "number",
    "failed_users": "share",
    "longest_outage_p95": "duration",
}
MEASURES = tuple(UNITS)

_THRESHOLD = re.compile(r"(<=|>=|==|<|>) *([^\s=].*)")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
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
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a threshold; write it like {_example(UNITS[measure])!r}")
    try:
        value = _parse(UNITS[measure], match[2].strip())
    except ValueError as error:
        raise ValueError(f"{text!r} does not fit {measure}, {_is_a(UNITS[measure])}: {error}") from None
    return Threshold(_op(match[1]), value)


def value_text(measure: str, value: float) -> str:
    """A value of `measure` with its unit, as a file would write it."""
    match UNITS[measure]:
        case "share":
            return share_text(value)
        case "duration":
            return duration_text(value)
        case "rate":
            return rate_text(value)
        case "number":
            return f"{value:g}"
        case unit:
            assert_never(unit)


def _op(text: str) -> Op:
    return next(op for op in _HOLDS if op == text)


def _parse(unit: Unit, text: str) -> float:
    match unit:
        case "share":
            return parse_share(text)
        case "duration":
            return parse_duration(text)
        case "rate":
            return parse_rate(text)
        case "number":
            return _parse_number(text)
        case _:
            assert_never(unit)


def _parse_number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a plain number; write it like 3 or 1.5")
    return float(text)


def _is_a(unit: Unit) -> str:
    return "a plain number" if unit == "number" else f"a {unit}"


def _example(unit: Unit) -> str:
    examples: dict[Unit, str] = {"share": ">= 99.5%", "duration": "<= 3m", "rate": ">= 2/s", "number": "<= 3"}
    return examples[unit]
