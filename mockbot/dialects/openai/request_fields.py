"""Read the fields of a request as OpenAI does, with its errors: plain fields, tools, output formats, reasoning."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.dialect import Json, ProviderError, Thinking
from mockbot.dialects.openapi import object_schema
from mockbot.dialects.reading import FACTORS, KINDS, kind_name
from mockbot.dialects.tool_calls import Mode, calls_now

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


def among(data: Json, name: str, least: int, most: int) -> int | None:
    """An integer field with a minimum and a maximum."""
    value = at_least(data, name, least)
    if value is not None and value > most:
        reason = f"integer above maximum value. Expected a value <= {most}, but got {value} instead."
        raise ProviderError(400, "integer_above_max_value", f"Invalid '{name}': {reason}", param=name)
    return value


def tools_called(data: Json, offered: Sequence[Tool], results: Sequence[str]) -> tuple[Tool, ...]:
    """The tools to call now, by `tool_choice` in each of its forms; `results` as in `calls_now`."""
    choice, mode = data.get("tool_choice"), "auto"
    parallel = field(data, "parallel_tool_calls", bool) is not False
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        within = "tool_choice.allowed_tools" if "allowed_tools" in choice else "tool_choice"
        allowed = field(choice, "allowed_tools", dict, within="tool_choice") or choice
        names = [_chosen(each) for each in field(allowed, "tools", list, required=True, within=within)]
        mode, offered = str(allowed.get("mode")), _named(offered, names)
    elif isinstance(choice, dict):
        if (name := _chosen(choice)) is not None:  # without one it is a tool of the provider's own
            mode, offered = "required", _named(offered, [name])
    elif isinstance(choice, str):
        mode = choice
    known: Mode = "none" if mode == "none" else "required" if mode == "required" else "auto"
    return calls_now(offered, known, results, parallel)


def _chosen(choice: object) -> str | None:
    """The name of a tool in a choice: nested in chat completions, flat in Responses."""
    if not isinstance(choice, dict):
        raise wrong_type("tool_choice", dict, choice)
    inner = choice.get(str(choice.get("type")))
    name = choice.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    return None if name is None else str(name)


def _named(offered: Sequence[Tool], names: Sequence[str | None]) -> list[Tool]:
    tools = {tool.name: tool for tool in offered}
    for name in names:
        if name not in tools:
            message = f"Tool choice '{name}' not found in 'tools' parameter."
            raise ProviderError(400, "invalid_value", message, param="tool_choice")
    return [tool for tool in offered if tool.name in names]


def function_of(where: str, data: object, kind: Literal["function", "legacy"] = "function") -> Tool:
    """A function as it is offered."""
    if not isinstance(data, dict):
        raise wrong_type(where, dict, data)
    name = field(data, "name", str, required=True, within=where)
    return Tool(name, field(data, "parameters", dict, within=where) or {"type": "object", "properties": {}}, kind)


def custom_of(where: str, data: object) -> Tool:
    """A custom tool: it takes a text, which a regular expression may describe. Of a Lark grammar any text is made."""
    if not isinstance(data, dict):
        raise wrong_type(where, dict, data)
    name = field(data, "name", str, required=True, within=where)
    described = field(data, "format", dict, within=where) or {}
    grammar = described.get("grammar", described)  # nested in chat completions, flat in Responses
    if isinstance(grammar, dict) and grammar.get("syntax") == "regex":
        return Tool(name, {"type": "string", "pattern": str(grammar.get("definition"))}, "custom")
    return Tool(name, {"type": "string"}, "custom")


def stops(data: Json) -> tuple[str, ...]:
    """The sequences before which a text ends: one, or an array of up to four."""
    given = data.get("stop")
    sequences = given if isinstance(given, list) else [] if given is None else [given]
    if not all(isinstance(each, str) for each in sequences):
        raise wrong_type("stop", str, given)
    if len(sequences) > 4:
        reason = f"Expected an array with maximum length 4, but got an array with length {len(sequences)} instead."
        raise ProviderError(400, "array_above_max_length", f"Invalid 'stop': array too long. {reason}", param="stop")
    return tuple(sequences)


def thinking(effort: object, *, shown: bool = False, sealed: bool = False) -> Thinking | None:
    """The reasoning that this effort stands for; none without one."""
    if effort is None or effort == "none":
        return None
    return Thinking(FACTORS.get(str(effort), FACTORS["medium"]), shown=shown, sealed=sealed)


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
