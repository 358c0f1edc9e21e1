"""Turn what people write ("1m30s", "5%", "20/s", "10% -> 0%") into floats and back. Seconds, shares in 0..1, events per second."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|h|m|s))")
_DURATION_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?%")
_RATE = re.compile(r"(\d+(?:\.\d+)?) ?/ ?(s|m|h)")


def parse_duration(text: object) -> float:
    """Seconds from "90s", "1m30s", "300ms" or "2h"; a bare 0 is allowed, any other bare number is not (30 of what?)."""
    if isinstance(text, float | int) and not isinstance(text, bool) and text == 0:
        return 0.0
    if not isinstance(text, str) or not _DURATION_WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 1m30s, 300ms or 2h")
    return sum(float(n) * _UNIT_SECONDS[unit] for n, unit in _DURATION.findall(text))


def parse_share(text: object) -> float:
    """A share in 0..1 from "5%"."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a share; write it like 5% or 100%")
    share = float(match[1]) / 100
    if share > 1:
        raise ValueError(f"{text!r} is more than 100%")
    return share


def parse_rate(text: object) -> float:
    """Events per second from "20/s", "60/m" or "1000/h"."""
    match = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write it like 20/s or 60/m")
    return float(match[1]) / _UNIT_SECONDS[match[2]]


def duration_text(seconds: float) -> str:
    """The shortest exact way to write a duration: 90.0 -> "1m30s", 0.3 -> "300ms"."""
    if seconds < 1:
        return f"{seconds * 1000:.10g}ms" if seconds else "0s"
    hours, rest = divmod(round(seconds, 9), 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return "".join(f"{value:.10g}{unit}" for value, unit in parts if value)


def share_text(share: float) -> str:
    """0.05 -> "5%"."""
    return f"{share * 100:.10g}%"


def rate_text(rate: float) -> str:
    """20.0 -> "20/s"; rates that are whole only by the minute are written "60/m"."""
    return f"{rate:.10g}/s" if f"{rate:.6g}" == f"{rate:.10g}" else f"{rate * 60:.10g}/m"


def _pattern(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(duration_text, return_type=str),
    _pattern(r"(\d+(\.\d+)?(ms|h|m|s))+", "1m30s"),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(share_text, return_type=str),
    _pattern(r"\d+(\.\d+)? ?%", "5%"),
]
Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(rate_text, return_type=str),
    _pattern(r"\d+(\.\d+)? ?/ ?(s|m|h)", "20/s"),
]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that goes from `first` to `last` in a straight line over the span it belongs to; constant when they are equal."""

    first: float
    last: float

    def at(self, progress: float) -> float:
        """The value at `progress` 0..1 of the span."""
        return self.first + (self.last - self.first) * min(1.0, max(0.0, progress))

    @property
    def steady(self) -> bool:
        """True when nothing ramps."""
        return self.first == self.last


@dataclass(frozen=True, slots=True)
class _RampOf:
    """Makes `Annotated[Ramp, _RampOf(parse, text, pattern, example)]` read "a -> b" or "a"."""

    parse: Any
    text: Any
    pattern: str
    example: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(self._write, return_schema=core_schema.str_schema())
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {
            "type": ["string", "integer"] if self.pattern.startswith(r"\d+") and self.example.isdigit() else "string",
            "pattern": f"^{self.pattern}( ?-> ?{self.pattern})?$",
            "examples": [f"{self.example}"],
        }

    def _read(self, value: object) -> Ramp:
        if isinstance(value, Ramp):
            return value
        ends = value.split("->") if isinstance(value, str) else [value]
        if len(ends) > 2:
            raise ValueError(f"{value!r} has more than one '->'; a ramp has a start and an end, like {self.example} -> {self.example}")
        values = [self.parse(end.strip() if isinstance(end, str) else end) for end in ends]
        return Ramp(values[0], values[-1])

    def _write(self, ramp: Ramp) -> str:
        first, last = self.text(ramp.first), self.text(ramp.last)
        return first if ramp.steady else f"{first} -> {last}"


def parse_count(text: object) -> float:
    """A whole number of users, 0 or more."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return float(text)
    if isinstance(text, str) and text.strip().isdigit():
        return float(text)
    raise ValueError(f"{text!r} is not a number of users; write a whole number like 200, or 200 -> 600")


ShareRamp = Annotated[Ramp, _RampOf(parse_share, share_text, r"\d+(\.\d+)? ?%", "5%")]
RateRamp = Annotated[Ramp, _RampOf(parse_rate, rate_text, r"\d+(\.\d+)? ?/ ?(s|m|h)", "20/s")]
CountRamp = Annotated[Ramp, _RampOf(parse_count, lambda count: f"{count:.10g}", r"\d+", "200")]
DurationRamp = Annotated[Ramp, _RampOf(parse_duration, duration_text, r"(\d+(\.\d+)?(ms|h|m|s))+", "300ms")]
