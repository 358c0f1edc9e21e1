"""JSON as Go's encoding/json reads and writes it: bytes in, typed fields or a `BodyError` in Go's words out.

Toxiproxy's clients see these rules: keys in any case, the last duplicate wins, null leaves a field alone, text after
the first value is ignored, integers refuse floats and exponents, toxicity is a float32, `<`, `>` and `&` are escaped.
Numbers stay text until the field they belong to is known.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Iterator
from typing import TypeVar

INT64 = range(-(2**63), 2**63)
ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})

V = TypeVar("V")


class BodyError(Exception):
    """The body cannot be used; the text is what follows "bad request body: "."""


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Fields:
    """A JSON object as Go sees it: pairs in order, asked for by name in any case."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs

    def get(self, name: str, struct_name: str, read: Callable[[object, str], V], default: V) -> V:
        """The last non-null value of that name; `read` refuses a wrong type."""
        value = default
        for key, raw in self.pairs:
            if raw is not None and key.casefold() == name:
                value = read(raw, f"{struct_name}.{name}")
        return value


def read_value(body: bytes) -> object:
    """The first JSON value of a body: Fields, list, str, Number, bool or None."""
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise BodyError("EOF")
    try:
        value, _ = DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise BodyError(_complaint(text, error.pos)) from None
    except RecursionError:
        raise BodyError("exceeded max depth") from None
    except ValueError as error:
        raise BodyError(str(error)) from None
    return value


def read_fields(value: object, go_type: str) -> Fields:
    """An object's fields; null is an empty object (Go leaves the struct alone)."""
    if value is None:
        return Fields([])
    if isinstance(value, Fields):
        return value
    raise BodyError(f"json: cannot unmarshal {kind(value)} into Go value of type {go_type}")


def read_objects(value: object, go_type: str) -> Iterator[Fields]:
    """The objects of an array; null is an empty one."""
    if value is None:
        return iter(())
    if not isinstance(value, list):
        raise BodyError(f"json: cannot unmarshal {kind(value)} into Go value of type {go_type}")
    return (read_fields(item, go_type) for item in value)


def as_text(value: object, field: str) -> str:
    if type(value) is str:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half a surrogate pair is U+FFFD
    raise _mismatch(value, field, "string")


def as_bool(value: object, field: str) -> bool:
    if isinstance(value, bool):
        return value
    raise _mismatch(value, field, "bool")


def as_int64(value: object, field: str) -> int:
    if isinstance(value, Number) and re.fullmatch(r"-?[0-9]{1,19}", value) and int(value) in INT64:
        return int(value)
    raise _mismatch(value, field, "int64")


def as_float32(value: object, field: str) -> float:
    """The nearest float32, as the shortest decimal that means it: 123456789 is 123456790."""
    if isinstance(value, Number):
        try:
            return shortest_float32(float(value))
        except OverflowError:
            pass
    raise _mismatch(value, field, "float32")


def as_fields(value: object, field: str) -> Fields:
    if isinstance(value, Fields):
        return value
    raise _mismatch(value, field, "toxics.NoopToxic" if field.endswith("attributes") else "zerolog.Logger")


def shortest_float32(number: float) -> float:
    """OverflowError when it does not fit."""
    if math.isinf(number):
        raise OverflowError
    packed = struct.pack("f", number)
    (single,) = struct.unpack("f", packed)
    for digits in range(1, 10):
        short = float(f"{single:.{digits}g}")
        if struct.pack("f", short) == packed:
            return short
    return float(single)


def write(value: object) -> bytes:
    """Compact JSON as Go writes it; whole floats without a point."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(ESCAPES).encode()


def number(value: float) -> float | int:
    """A float as Go writes it: 1, not 1.0."""
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def kind(value: object) -> str:
    """Go's word for the JSON type of a value."""
    match value:
        case Fields():
            return "object"
        case list():
            return "array"
        case bool():
            return "bool"
        case Number():
            return f"number {value}" if not value.removeprefix("-").isdigit() else "number"
        case _:
            return "string"


def _mismatch(value: object, field: str, go_type: str) -> BodyError:
    what = f"number {value}" if isinstance(value, Number) and go_type != "string" else kind(value).split(" ")[0]
    return BodyError(f"json: cannot unmarshal {what} into Go struct field {field} of type {go_type}")


def _complaint(text: str, position: int) -> str:
    if position >= len(text) or text[position] == '"':  # the decoder points at the start of an unfinished string
        return "unexpected EOF" if not _finished_string(text, position) else "invalid character in string literal"
    return f"invalid character {text[position]!r} in JSON"


def _finished_string(text: str, position: int) -> bool:
    return position < len(text) and re.match(r'"(?:[^"\\]|\\.)*"', text[position:], re.DOTALL) is not None


def _refuse(constant: str) -> object:
    raise BodyError(f"invalid character {constant[0]!r} looking for beginning of value")


def _number(text: str) -> Number:
    return Number(text)


DECODER = json.JSONDecoder(object_pairs_hook=Fields, parse_int=_number, parse_float=_number, parse_constant=_refuse)
