"""Google's Schema, a subset of OpenAPI's, in; JSON Schema out (ai.google.dev/api/caching#Schema).

Types are in capitals, bounds of lengths may be strings (int64 in ProtoJSON). A keyword of JSON Schema that it lacks is
refused: github.com/glowingjade/obsidian-smart-composer/issues/455, github.com/zed-industries/zed/issues/44875.
"""

from typing import Any

from mockbot.dialects.dialect import Json
from mockbot.dialects.gemini.gemini_parameters import fields, list_at, unknown_field, wrong_value

_INTEGERS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_KEPT = frozenset({"enum", "title", "description", "pattern", "minimum", "maximum", "default", "required"})
_WITHIN = {
    "properties": "properties",
    "defs": "$defs",
    "items": "items",
    "anyOf": "anyOf",
    "prefixItems": "prefixItems",
}
_DROPPED = frozenset({"nullable", "example", "propertyOrdering", "format", "additionalProperties"})
_DEEPEST = 100


def json_schema(given: Any, where: str, depth: int = 0) -> dict[str, Any]:
    """The JSON Schema that the same values satisfy; `where`: its place in the request, for errors."""
    if not isinstance(given, dict) or depth > _DEEPEST:
        raise wrong_value(where, "a schema", "type.googleapis.com/google.ai.generativelanguage.v1beta.Schema")
    found: dict[str, Any] = {}
    for name, value in fields(given).items():
        if name in _KEPT:
            found[name] = value
        elif name in _INTEGERS:
            found[name] = _integer(value, where)
        elif name in _WITHIN:
            found[_WITHIN[name]] = _inner(name, value, where, depth)
        elif name == "type":
            if value not in ("TYPE_UNSPECIFIED", None):
                found["type"] = str(value).lower()
        elif name == "ref":
            found["$ref"] = str(value).replace("#/defs/", "#/$defs/")
        elif name not in _DROPPED:
            raise unknown_field(name, where)
    return found


def _inner(name: str, value: Any, where: str, depth: int) -> Any:
    """The schemas below one: one, several, or several with names."""
    if name == "items":
        return json_schema(value, f"{where}.items", depth + 1)
    if name in ("properties", "defs"):
        return _properties(value, f"{where}.{name}", depth)
    options = list_at({name: value}, name, f"{where}.any_of")
    return [json_schema(each, f"{where}.any_of[{n}]", depth + 1) for n, each in enumerate(options)]


def _properties(given: Any, where: str, depth: int) -> Json:
    if not isinstance(given, dict):
        raise wrong_value(where, "properties", "map")
    return {
        name: json_schema(value, f"{where}[{number}].value", depth + 1)
        for number, (name, value) in enumerate(given.items())
    }


def _integer(value: Any, where: str) -> int:
    try:
        return int(value)
    except (ValueError, TypeError):
        raise wrong_value(where, str(value), "TYPE_INT64") from None
