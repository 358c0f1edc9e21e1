"""Turn what people write ("1m30s", "5%", "20/s", "10% -> 0%") into floats and back. Pure.

Seconds, shares in 0..1, events per second. Text is read with decimals, so that the text of a `_text` function is read
back as exactly the same float. Numbers without a unit are for Python only: `context=IN_A_FILE` refuses them.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

IN_A_FILE = {"file": True}
MOST_USERS = 100_000_000
MOST_SECONDS = 366 * 86400.0
WaitForm = Literal["seconds", "date", "ms"]  # how an answer says for how long to wait

_UNIT_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
# At most 15 digits, which a float holds exactly. ASCII, because \d alone also matches the digits of other scripts.
_NUMBER = r"\d{1,15}(?:\.\d{1,400})?"
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|h|m|s)", re.ASCII)
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|h|m|s))+", re.ASCII)
_SHARE = re.compile(rf"({_NUMBER}) ?%", re.ASCII)
_RATE = re.compile(rf"({_NUMBER}) ?/ ?(s|m|h)", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)


def parse_duration(text: object) -> float:
    """Seconds from "90s", "1m30s", "300ms" or "2h"."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 1m30s, 300ms or 2h")
    seconds = float(sum(Decimal(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text)))
    if seconds > MOST_SECONDS:
        raise ValueError(f"{text!r} is longer than a year")
    return seconds


def parse_share(text: object) -> float:
    """A share in 0..1 from "5%"."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a share; write it like 5% or 100%")
    share = float(Decimal(match[1]) / 100)
    if share > 1:
        raise ValueError(f"{text!r} is more than 100%")
    return share


def parse_rate(text: object) -> float:
    """Events per second from "20/s", "60/m" or "1000/h"."""
    match = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write it like 20/s or 60/m")
    return float(Decimal(match[1]) / _UNIT_SECONDS[match[2]])


def parse_count(text: object) -> float:
    """A whole number of users, 0 or more."""
    whole = str(text) if isinstance(text, int | str) and not isinstance(text, bool) else ""
    if not _COUNT.fullmatch(whole.strip()):
        raise ValueError(f"{text!r} is not a number of users; write a whole number like 200, or 200 -> 600")
    if int(whole) > MOST_USERS:
        raise ValueError(f"{text!r} is more users than there are people to ask; at most {MOST_USERS:,}")
    return float(whole)


def duration_text(seconds: float) -> str:
    """The shortest exact way to write a duration: 90.0 -> "1m30s", 0.3 -> "300ms"."""
    if not seconds:
        return "0s"
    hours, rest = divmod(Decimal(repr(seconds)), 3600)  # repr: the shortest text that is read back exactly
    minutes, rest = divmod(rest, 60)
    if seconds < 1:
        return f"{_plain(rest * 1000)}ms"
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{_plain(value)}{unit}" for value, unit in parts if value)


def share_text(share: float) -> str:
    """0.05 -> "5%"."""
    return f"{_plain(Decimal(repr(share)) * 100)}%"


def rate_text(rate: float) -> str:
    """20.0 -> "20/s"; rates that are whole only by the minute or hour are written so: "7/m"."""
    for unit, seconds in (("s", 1), ("m", 60), ("h", 3600)):
        whole = round(rate * seconds)
        if whole / seconds == rate:
            return f"{whole}/{unit}"
    return f"{_plain(Decimal(repr(rate)))}/s"


def count_text(count: float) -> str:
    """200.0 -> "200"."""
    return f"{count:.0f}"


def _plain(number: Decimal) -> str:
    """All its digits, no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_file(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("file"))


def _number(value: object) -> float | None:
    """The value if it is a finite number that is not negative."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    return float(value) if usable and isinstance(value, int | float) else None


def read_duration(value: object, info: ValidationInfo) -> float:
    """Text with units; from Python seconds too. A bare 0 needs no unit anywhere."""
    number = _number(value)
    if number is not None and (number == 0 or not _in_file(info)):
        return number
    return parse_duration(value)


def read_share(value: object, info: ValidationInfo) -> float:
    """Text with %; from Python 0..1 too."""
    number = _number(value)
    return number if number is not None and number <= 1 and not _in_file(info) else parse_share(value)


def read_rate(value: object, info: ValidationInfo) -> float:
    """Text with a unit; from Python events per second too."""
    number = _number(value)
    return number if number is not None and not _in_file(info) else parse_rate(value)


def read_count(value: object, info: ValidationInfo) -> float:  # noqa: ARG001 - as read_duration
    """A whole number of users."""
    return parse_count(value)


DURATION_JSON = {"anyOf": [{"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|h|m|s))+$"}, {"const": 0}]}
SHARE_JSON = {"type": "string", "pattern": r"^\d+(\.\d+)? ?%$"}
RATE_JSON = {"type": "string", "pattern": r"^\d+(\.\d+)? ?/ ?(s|m|h)$"}

Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema(DURATION_JSON),
]
Share = Annotated[
    float, BeforeValidator(read_share), PlainSerializer(share_text, return_type=str), WithJsonSchema(SHARE_JSON)
]
Rate = Annotated[
    float, BeforeValidator(read_rate), PlainSerializer(rate_text, return_type=str), WithJsonSchema(RATE_JSON)
]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that goes in a straight line from `first` to `last` over its span; constant when they are equal."""

    first: float
    last: float

    def at(self, progress: float) -> float:
        """The value at `progress` 0..1 of the span."""
        return self.first + (self.last - self.first) * min(1.0, max(0.0, progress))

    @property
    def steady(self) -> bool:
        """True when nothing ramps."""
        return self.first == self.last

    @property
    def most(self) -> float:
        """The greater end."""
        return max(self.first, self.last)


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: typing hashes every annotation
class _RampOf:
    """Makes `Annotated[Ramp, _RampOf(...)]` read "a -> b" or "a", and write it again."""

    read: Callable[[object, ValidationInfo], float]
    text: Callable[[float], str]
    json: dict[str, Any]
    pattern: str
    example: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        writes = core_schema.plain_serializer_function_ser_schema(self._write, return_schema=core_schema.str_schema())
        return core_schema.with_info_plain_validator_function(self._read, serialization=writes)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: object) -> dict[str, Any]:
        ramp = {"type": "string", "pattern": f"^{self.pattern} ?-> ?{self.pattern}$"}
        return {"anyOf": [self.json, ramp]}

    def _read(self, value: object, info: ValidationInfo) -> Ramp:
        if isinstance(value, Ramp):
            return value
        ends: list[object] = [*value.split("->")] if isinstance(value, str) else [value]
        if len(ends) > 2:
            raise ValueError(f"{value!r} has more than one '->'; a ramp has a start and an end, like {self.example}")
        values = [self.read(end.strip() if isinstance(end, str) else end, info) for end in ends]
        return Ramp(values[0], values[-1])

    def _write(self, ramp: Ramp) -> str:
        first, last = self.text(ramp.first), self.text(ramp.last)
        return first if ramp.steady else f"{first} -> {last}"


_COUNT_JSON = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+$"}]}

ShareRamp = Annotated[Ramp, _RampOf(read_share, share_text, SHARE_JSON, r"\d+(\.\d+)? ?%", "10% -> 0%")]
RateRamp = Annotated[Ramp, _RampOf(read_rate, rate_text, RATE_JSON, r"\d+(\.\d+)? ?/ ?(s|m|h)", "20/s -> 60/s")]
CountRamp = Annotated[Ramp, _RampOf(read_count, count_text, _COUNT_JSON, r"\d+", "200 -> 600")]
DurationRamp = Annotated[
    Ramp, _RampOf(read_duration, duration_text, DURATION_JSON, r"(\d+(\.\d+)?(ms|h|m|s))+", "0s -> 2s")
]
