"""Read the fields of a request as OpenAI does, with its errors: plain fields, offered tools, and output formats."""

from collections.abc import Iterable, Mapping
from typing import Any

from mockbot.dialects.dialect import Json, ProviderError, Tool
from mockbot.dialects.openapi import object_schema
from mockbot.dialects.reading import KINDS, kind_name

_JSON_OBJECT = object_schema(["answer"], {"answer": {"type": "string"}})


def field(data: Json, name: str, kind: type, *, required: bool = False, within: str = "") -> Any:
    """One field of the right type, or None when it is absent or null; `within` is what it is a field of."""
    value = data.get(name)
    if type(value) is kind:
        return value
    if value is None and not required:
        return None
    full = f"{within}.{name}" if within else name
    if value is not None:
        raise wrong_type(full, kind, value)
    raise ProviderError(400, "missing_required_parameter", f"Missing required parameter: '{full}'.", param=full)


def wrong_type(name: str, expected: type, value: object) -> ProviderError:
    """OpenAI's error for a value of another JSON type than the API expects."""
    message = f"Invalid type for '{name}': expected {KINDS[expected]}, but got {kind_name(value)} instead."
    return ProviderError(400, "invalid_type", message, param=name)


def at_least(data: Json, name: str, least: int) -> int | None:
    """An integer field with a minimum."""
    value: int | None = field(data, name, int)
    if value is not None and value < least:
        reason = f"integer below minimum value. Expected a value >= {least}, but got {value} instead."
        raise ProviderError(400, "integer_below_min_value", f"Invalid '{name}': {reason}", param=name)
    return value


def tool_called(data: Json, offered: Iterable[Tool], answered: bool) -> Tool | None:
    """The function to call now: the one that `tool_choice` names, else the first one until its result is there."""
    functions = {tool.name: tool for tool in offered}
    choice = data.get("tool_choice")
    if not functions or choice == "none":
        return None
    if isinstance(choice, dict):
        named = choice.get("name") or (choice.get("function") or {}).get("name")
        if named is not None and named not in functions:
            message = f"Tool choice '{named}' not found in 'tools' parameter."
            raise ProviderError(400, "invalid_value", message, param="tool_choice")
        if named is not None:
            return functions[named]
    return None if answered and choice != "required" else next(iter(functions.values()))


def function_of(where: str, data: object) -> Tool:
    """A function as it is offered."""
    if not isinstance(data, dict):
        raise wrong_type(where, dict, data)
    name = field(data, "name", str, required=True, within=where)
    return Tool(name, field(data, "parameters", dict, within=where) or {"type": "object", "properties": {}})


def output_schema(format_: object, where: str) -> Mapping[str, object] | None:
    """The schema that a text answer must satisfy; None when any text will do."""
    if not isinstance(format_, dict):
        return None
    match format_.get("type"):
        case "json_object":
            return _JSON_OBJECT
        case "json_schema":
            inner = format_.get("json_schema") if "json_schema" in format_ else format_
            if not isinstance(inner, dict):
                message = f"Missing required parameter: '{where}.json_schema'."
                raise ProviderError(400, "missing_required_parameter", message, param=where)
            return field(inner, "schema", dict, within=where) or {"type": "object", "properties": {}}
    return None
