"""A JSON Schema in, a value that satisfies it out: how tool calls get arguments and structured answers get content.

Deterministic for a seed. Understands what providers accept for function parameters and strict structured output: types,
properties, required, items and prefixItems, enum, const, anyOf, oneOf, allOf, local $ref, bounds of numbers, lengths
and arrays, multipleOf, pattern and the common formats. Optional properties are filled too, down to a depth that ends
recursion.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

from mockbot.service.pattern_sample import text_like

_DEEP = 6  # below this only what is required is filled
_DEEPEST = 24  # a schema that requires itself has no finite value; it is cut here
_WORDS = ("alpha", "river", "north", "lamp", "harbour", "amber", "willow", "copper", "meadow", "signal")
_FORMATS = {
    "date": "2024-11-08",
    "time": "16:06:00Z",
    "date-time": "2024-11-08T16:06:00Z",
    "duration": "PT35M",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "uri": "https://example.com/status",
    "uuid": "6f1c2c8e-5b1e-4d52-9a9f-3a2f5a5f9d11",
}

Schema = Mapping[str, Any] | bool


def sample(schema: Schema, seed: int) -> Any:
    """A value for this schema; raises ValueError when a part of it is not one that this module understands."""
    return _Sampler(schema, random.Random(seed)).value(schema, 0)


class _Sampler:
    def __init__(self, root: Schema, rng: random.Random) -> None:
        self._root, self._rng = root, rng

    def value(self, schema: Schema, depth: int) -> Any:
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
                return self.value(_both(rest, self._chosen(schema[key], depth)), depth)
        return self._typed(self._kind(schema, depth), schema, depth)

    def _merged(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                rest = {name: value for name, value in schema.items() if name != "$ref"}
                schema = _both(rest, self._resolved(schema["$ref"]))
            elif "allOf" in schema:
                rest = {name: value for name, value in schema.items() if name != "allOf"}
                for part in schema["allOf"]:
                    rest = dict(_both(rest, self._merged(part) if isinstance(part, Mapping) else {}))
                schema = rest
            else:
                return schema
        raise ValueError("a $ref leads back to itself")

    def _resolved(self, ref: str) -> Mapping[str, Any]:
        if not ref.startswith("#"):
            raise ValueError(f"{ref} is not a local reference")
        found: Any = self._root
        for part in ref.removeprefix("#").strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if part and (not isinstance(found, Mapping) or key not in found):
                raise ValueError(f"{ref} refers to nothing")
            found = found[key] if part else found
        return found if isinstance(found, Mapping) else {}

    def _chosen(self, options: list[Schema], depth: int) -> Mapping[str, Any]:
        fitting = [option for option in options if isinstance(option, Mapping)] or [{}]
        if depth < _DEEP:
            return self._rng.choice(fitting)
        simple = [
            option for option in fitting if "$ref" not in option and option.get("type") not in ("object", "array")
        ]
        return (simple or fitting)[0]

    def _kind(self, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [each for each in kind if each != "null"] or ["null"]
            return "null" if "null" in kind and depth >= _DEEP else str(kinds[0])
        if kind is None:
            if "properties" in schema:
                return "object"
            return "array" if "items" in schema else "number" if "minimum" in schema else "string"
        return str(kind)

    def _typed(self, kind: str, schema: Mapping[str, Any], depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("the schema has no end")
        match kind:
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

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), set(schema.get("required", ()))
        wanted = [name for name in properties if name in required or depth < _DEEP]
        made = {name: self.value(properties[name], depth + 1) for name in wanted}
        extra = schema.get("additionalProperties", True)
        for name in required - made.keys():
            made[name] = self.value(extra, depth + 1)
        for n in range(len(made), schema.get("minProperties", 0)):
            made[f"key{n}"] = self.value(extra, depth + 1)
        return made

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = [self.value(each, depth + 1) for each in schema.get("prefixItems", ())]
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        length = min(most, max(least, 2 if depth < _DEEP else 0))
        items = schema.get("items", True)
        if items is False:
            return first
        made = first + [self.value(items, depth + 1) for _ in range(int(length) - len(first))]
        return _unique(made) if schema.get("uniqueItems") else made

    def _string(self, schema: Mapping[str, Any]) -> str:
        if "pattern" in schema:
            return text_like(schema["pattern"], self._rng)
        text = _FORMATS.get(schema.get("format", ""), " ".join(self._rng.sample(_WORDS, 2)))
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        while len(text) < least:
            text += f" {self._rng.choice(_WORDS)}"
        return text if most is None or len(text) <= most else text[: max(most, least)]

    def _number(self, schema: Mapping[str, Any], whole: bool) -> int | float:
        low, high = _bounds(schema)
        step = schema.get("multipleOf") or (1 if whole else None)
        if step is None:
            exclusive = schema.get("exclusiveMinimum") == low or schema.get("exclusiveMaximum") == high
            return round(low + (high - low) * self._rng.uniform(0.25, 0.75), 6) if exclusive or high > low else low
        first = math.floor(low / step) + 1 if schema.get("exclusiveMinimum") == low else math.ceil(low / step)
        last = math.ceil(high / step) - 1 if schema.get("exclusiveMaximum") == high else math.floor(high / step)
        if first > last:
            raise ValueError(f"no multiple of {step} lies between {low} and {high}")
        value = self._rng.randint(first, last) * step
        return int(value) if whole else value


def _bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
    highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
    low = max(lows) if lows else min(1, min(highs) - 100) if highs else 1
    high = min(highs) if highs else max(100, low + 100)
    return low, high


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """One schema that demands both; properties and required are joined, of other keys the tighter or the later
    counts.
    """
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*one["required"], *other["required"]]
    for name, tighter in (
        ("minimum", max),
        ("maximum", min),
        ("minLength", max),
        ("maxLength", min),
        ("minItems", max),
        ("maxItems", min),
    ):
        if name in one and name in other:
            joined[name] = tighter(one[name], other[name])
    return joined


def _unique(items: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
