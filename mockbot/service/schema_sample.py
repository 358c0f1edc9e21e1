"""A JSON Schema in, a value that satisfies it out: arguments of tool calls and content of structured answers.

Deterministic for a seed. Supports what providers accept for function parameters and strict structured output: types,
properties, required, items and prefixItems, enum, const, anyOf, oneOf, allOf, local $ref, bounds of numbers, lengths
and arrays, multipleOf, pattern and the common formats. Optional properties are filled too, down to a depth that ends
recursion.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

from mockbot.service.pattern_sample import text_like

_DEEP = 6  # below this only required properties are filled
_DEEPEST = 24  # a schema that requires itself has no finite value; it is cut here
_WORDS = ("alpha", "river", "north", "lamp", "harbour", "amber", "willow", "copper", "meadow", "signal")
_FORMATS = {
    "date": "2024-11-08", "time": "16:06:00Z", "date-time": "2024-11-08T16:06:00Z", "duration": "PT35M",
    "email": "ada@example.com", "hostname": "example.com", "ipv4": "192.0.2.7", "ipv6": "2001:db8::7",
    "uri": "https://example.com/status", "uuid": "6f1c2c8e-5b1e-4d52-9a9f-3a2f5a5f9d11",
}  # fmt: skip
_TIGHTER = {
    "minimum": max, "maximum": min, "minLength": max, "maxLength": min, "minItems": max, "maxItems": min,
}  # fmt: skip

Schema = Mapping[str, Any] | bool


def sample(schema: Schema, seed: int) -> Any:
    """A value for this schema; ValueError when the schema is malformed or uses a keyword in an unsupported way."""
    return _Sampler(schema, random.Random(seed)).value(schema, 0)


class _Sampler:
    def __init__(self, root: Schema, rng: random.Random) -> None:
        self._root, self._rng = root, rng

    def value(self, schema: Schema, depth: int) -> Any:  # noqa: C901 - one keyword or type after the other
        if isinstance(schema, bool) or not schema:
            return "anything"
        schema = self._merged(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._rng.choice(list(schema["enum"]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                rest = {name: value for name, value in schema.items() if name != key}
                return self.value(_both(rest, self._option(schema[key], depth)), depth)
        if depth > _DEEPEST:
            raise ValueError("the schema has no end")
        match kind := _type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer" | "number":
                return self._number(schema, kind == "integer")
            case "boolean":
                return self._rng.random() < 0.5
            case "null":
                return None
        raise ValueError(f"{kind!r} is not a JSON type")

    def _merged(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema with its $ref and allOf written out."""
        rest: Mapping[str, Any]
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                rest = {name: value for name, value in schema.items() if name != "$ref"}
                schema = _both(rest, self._referred(schema["$ref"]))
            elif "allOf" in schema:
                rest = {name: value for name, value in schema.items() if name != "allOf"}
                for part in schema["allOf"]:
                    rest = _both(rest, self._merged(part) if isinstance(part, Mapping) else {})
                schema = rest
            else:
                return schema
        raise ValueError("a $ref leads back to itself")

    def _referred(self, ref: str) -> Mapping[str, Any]:
        if not ref.startswith("#"):
            raise ValueError(f"{ref} is not a local reference")
        found: Any = self._root
        for part in filter(None, ref.removeprefix("#").strip("/").split("/")):
            key = part.replace("~1", "/").replace("~0", "~")  # RFC 6901
            if not isinstance(found, Mapping) or key not in found:
                raise ValueError(f"{ref} refers to nothing")
            found = found[key]
        return found if isinstance(found, Mapping) else {}

    def _option(self, options: list[Schema], depth: int) -> Mapping[str, Any]:
        """One option; deep down the first that ends the recursion."""
        fitting = [option for option in options if isinstance(option, Mapping)] or [{}]
        if depth < _DEEP:
            return self._rng.choice(fitting)
        flat = [option for option in fitting if "$ref" not in option and option.get("type") not in ("object", "array")]
        return (flat or fitting)[0]

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, object]:
        properties, required = schema.get("properties", {}), set(schema.get("required", ()))
        wanted = [name for name in properties if name in required or depth < _DEEP]
        made = {name: self.value(properties[name], depth + 1) for name in wanted}
        extra = schema.get("additionalProperties", True)
        for name in required - made.keys():
            made[name] = self.value(extra, depth + 1)
        for n in range(len(made), schema.get("minProperties", 0)):
            made[f"key{n}"] = self.value(extra, depth + 1)
        return made

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[object]:
        made = [self.value(each, depth + 1) for each in schema.get("prefixItems", ())]
        length = min(schema.get("maxItems", math.inf), max(schema.get("minItems", 0), 2 if depth < _DEEP else 0))
        items = schema.get("items", True)
        if items is not False:
            made += [self.value(items, depth + 1) for _ in range(int(length) - len(made))]
        return [each for n, each in enumerate(made) if each not in made[:n]] if schema.get("uniqueItems") else made

    def _string(self, schema: Mapping[str, Any]) -> str:
        if "pattern" in schema:
            return text_like(schema["pattern"], self._rng)
        text = _FORMATS.get(schema.get("format", ""), " ".join(self._rng.sample(_WORDS, 2)))
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        while len(text) < least:
            text += f" {self._rng.choice(_WORDS)}"
        return text if most is None or len(text) <= most else text[: max(most, least)]

    def _number(self, schema: Mapping[str, Any], whole: bool) -> int | float:
        lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
        highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
        low = max(lows) if lows else min(1, min(highs) - 100) if highs else 1
        high = min(highs) if highs else max(100, low + 100)
        above, below = schema.get("exclusiveMinimum") == low, schema.get("exclusiveMaximum") == high
        step = schema.get("multipleOf") or (1 if whole else None)
        if step is None:
            inside = above or below or high > low
            return round(low + (high - low) * self._rng.uniform(0.25, 0.75), 6) if inside else low
        first = math.floor(low / step) + 1 if above else math.ceil(low / step)
        last = math.ceil(high / step) - 1 if below else math.floor(high / step)
        if first > last:
            raise ValueError(f"no multiple of {step} lies between {low} and {high}")
        value = self._rng.randint(first, last) * step
        return int(value) if whole else value


def _type(schema: Mapping[str, Any], depth: int) -> str:
    """The JSON type to generate; of several the first, and deep down null where it is allowed."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [each for each in kind if each != "null"] or ["null"]
        return "null" if "null" in kind and depth >= _DEEP else str(kinds[0])
    if kind is not None:
        return str(kind)
    signs = {"properties": "object", "items": "array", "minimum": "number"}
    return next((sign_of for sign, sign_of in signs.items() if sign in schema), "string")


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """One schema that demands both: joins `properties` and `required`; else the tighter bound or the later value."""
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*one["required"], *other["required"]]
    for name in one.keys() & other.keys() & _TIGHTER.keys():
        joined[name] = _TIGHTER[name](one[name], other[name])
    return joined
