"""Values made up for JSON schemas, held against a validator that is not ours."""

import random
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockbot.service.pattern_sample import text_like
from mockbot.service.schema_sample import sample

TREE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "children": {"type": "array", "items": {"$ref": "#"}},
        "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["value", "children", "next"],
    "additionalProperties": False,
}
SCHEMAS: list[Any] = [
    True,
    {},
    TREE,
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 3},
    {"type": "string", "pattern": r"^[A-Z]{2}\d{4}(-[a-f]+)?$"},
    {"type": "string", "format": "date-time"},
    {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    {"type": "integer", "maximum": -7},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "number", "multipleOf": 0.5, "minimum": 2.1},
    {"type": ["string", "null"]},
    {"enum": ["a", 2, None]},
    {"const": {"x": 1}},
    {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["b"]}]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 5, "maxItems": 5},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    {"properties": {"a": {"$ref": "#/$defs/b~1c"}}, "$defs": {"b/c": {"type": "boolean"}}},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_a_sample_is_valid(schema: Any) -> None:
    """For ten seeds each."""
    for seed in range(10):
        jsonschema.Draft202012Validator(schema).validate(sample(schema, seed))


def integers(low: int, by: int) -> dict[str, Any]:
    """Whole numbers in a range."""
    return {"type": "integer", "minimum": low, "maximum": low + by}


def strings(least: int, by: int) -> dict[str, Any]:
    """Strings of a length in a range."""
    return {"type": "string", "minLength": least, "maxLength": least + by}


def objects(properties: dict[str, Any]) -> dict[str, Any]:
    """Objects that must have all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def lists(items: dict[str, Any], least: int) -> dict[str, Any]:
    """Arrays of at least so many."""
    return {"type": "array", "items": items, "minItems": least}


VALUES = st.one_of(st.text(), st.integers(), st.none())
LEAVES = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(integers, st.integers(-9, 9), st.integers(0, 9)),
    st.builds(strings, st.integers(0, 30), st.integers(0, 9)),
    st.builds(lambda values: {"enum": values}, st.lists(VALUES, min_size=1, unique=True)),
)
PROPERTIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lists, inner, st.integers(0, 4)),
        st.builds(objects, st.dictionaries(st.text(), inner, max_size=4)),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)


@given(PROPERTIES, st.integers(0, 2**64 - 1))
@settings(max_examples=200, deadline=None)
def test_samples_of_made_up_schemas_are_valid(schema: dict[str, Any], seed: int) -> None:
    """Whatever the parts are nested into."""
    jsonschema.Draft202012Validator(schema).validate(sample(schema, seed))


def test_a_sample_repeats_itself() -> None:
    """The same seed, the same value."""
    assert sample(TREE, 5) == sample(TREE, 5)


@pytest.mark.parametrize(
    "pattern",
    [r"^\w+@\w+\.com$", r"(a|b){3,}c?", r"[^a-z]{2}", r"^(\d\d)-\1$", r"\S\s\D", r"x.z", r"^$", r"a+?b*", r"(?:ab)?c"],
)
def test_texts_match_their_pattern(pattern: str) -> None:
    """For many seeds."""
    for seed in range(30):
        assert re.search(pattern, text_like(pattern, random.Random(seed)))
