"""Read the body of a control request: bytes in, typed settings or toxics out, or the `ApiError` that the client gets.

The JSON is Go's, as clients of Toxiproxy rely on it: names in any case, null is the same as absent, unknown names and
text after the value are ignored, attributes are whole numbers. A client sees the first check that fails, so checks
come in Toxiproxy's order (2.12.0, api.go, toxic_collection.go). What would crash Toxiproxy is a 400.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NoReturn, TypeVar

from mockbot.proxy.proxies import Proxy, Settings
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics import effect_type
from mockbot.proxy.toxics.base import Effect

INT64 = range(-(2**63), 2**63)
LARGEST_FLOAT32 = 3.4e38
KINDS = {str: "a string", bool: "true or false", dict: "an object", list: "an array", int: "a whole number"}

V = TypeVar("V")
Body = Mapping[str, object]  # by name in lower case, without nulls


class ApiError(Exception):
    """A refusal with its HTTP status; the text is the `error` of the answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@dataclass(frozen=True, slots=True)
class Entry:
    """What a create or populate asks for."""

    name: str
    settings: Settings


def read_entry(body: bytes) -> Entry:
    """The proxy that a create asks for."""
    entry = entry_of(value_of(body))
    require_fields(entry, "")
    return entry


def read_entries(body: bytes) -> list[Entry]:
    """The proxies of a populate. A wrong type anywhere is reported before a missing field."""
    value = value_of(body)
    entries = [entry_of(item) for item in ([] if value is None else checked("the body", value, list))]
    for index, entry in enumerate(entries, 1):
        require_fields(entry, f" at proxy {index}")
    return entries


def read_settings(body: bytes, current: Settings) -> Settings:
    """The settings that an update asks for; absent ones keep their value."""
    return settings_of(object_of(value_of(body)), current)


def read_toxic(body: bytes, proxy: Proxy) -> Toxic:
    """A new toxic for this proxy."""
    given = object_of(value_of(body))
    read(given, "attributes", dict, {})
    stream = read(given, "stream", str, "downstream")
    type_name = read(given, "type", str, "")
    name = read(given, "name", str, "") or f"{type_name}_{stream}"
    toxicity = toxicity_of(given, 1)
    if stream.lower() not in list(Direction):
        raise ApiError("stream was invalid, can be either upstream or downstream", 400)
    effect = effect_type(type_name)
    if effect is None:
        raise ApiError("invalid toxic type", 400)
    if proxy.find(name) is not None:
        raise ApiError("toxic already exists", 409)
    return Toxic(name, stream, Direction(stream.lower()), toxicity, effect_of(given, effect()))


def read_change(body: bytes, toxic: Toxic) -> tuple[Effect, float]:
    """The effect and toxicity that an update asks for; absent ones keep their value."""
    given = object_of(value_of(body))
    return effect_of(given, toxic.effect), toxicity_of(given, toxic.toxicity)


def value_of(body: bytes) -> object:
    """The first JSON value of a body."""
    text = body.decode("utf-8", "replace").lstrip()
    try:
        return DECODER.raw_decode(text)[0] if text else refuse("EOF")
    except RecursionError:
        refuse("exceeded max depth")
    except ValueError as error:
        refuse(str(error))


def object_of(value: object) -> Body:
    """A JSON object; null is an empty one."""
    return {} if value is None else checked("the value", value, dict)


def read(given: Body, name: str, kind: type[V], default: V) -> V:
    """The value of that name; an ApiError when it is of another JSON type."""
    return checked(name, given[name], kind) if name in given else default


def checked(name: str, value: object, kind: type[V]) -> V:
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    return refuse(f"{name} must be {KINDS[kind]}")


def entry_of(value: object) -> Entry:
    given = object_of(value)
    name = read(given, "name", str, "")
    # Half a surrogate pair cannot be encoded, neither in an answer nor for a seed.
    name = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Entry(name, settings_of(given, Settings("", "", enabled=True)))


def require_fields(entry: Entry, where: str) -> None:
    for field, text in (("name", entry.name), ("upstream", entry.settings.upstream)):
        if not text:
            raise ApiError(f"missing required field: {field}{where}", 400)


def settings_of(given: Body, current: Settings) -> Settings:
    return Settings(
        listen=read(given, "listen", str, current.listen),
        upstream=read(given, "upstream", str, current.upstream),
        enabled=read(given, "enabled", bool, current.enabled),
    )


def toxicity_of(given: Body, default: float) -> float:
    value = given.get("toxicity", default)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_FLOAT32:
        return value
    return refuse("toxicity must be a number")


def effect_of(given: Body, current: Effect) -> Effect:
    """The effect with the attributes that were given; unknown ones are ignored, absent ones keep their value."""
    attributes: Body = read(given, "attributes", dict, {})
    values = {field.name: read(attributes, field.name, int, getattr(current, field.name)) for field in fields(current)}
    for name, value in values.items():
        if value not in INT64:
            refuse(f"{name} must be a whole number of 64 bits")
    effect = replace(current, **values)
    refusal = effect.refusal()
    return effect if refusal is None else refuse(refusal)


def refuse(why: str) -> NoReturn:
    """The answer to a body that cannot be read."""
    raise ApiError(f"bad request body: {why}", 400) from None


def without_nulls(pairs: list[tuple[str, object]]) -> Body:
    return {name.casefold(): value for name, value in pairs if value is not None}


DECODER = json.JSONDecoder(object_pairs_hook=without_nulls, parse_constant=lambda name: refuse(f"{name} is no JSON"))
