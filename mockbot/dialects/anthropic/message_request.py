"""Read a request of the Messages API into a Question, with Anthropic's errors: fields, tools, thinking, and cache."""

from typing import Any

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.anthropic.anthropic_parameters import check
from mockbot.dialects.anthropic.message_checks import check_messages
from mockbot.dialects.dialect import Form, Json, ProviderError, Question, Thinking
from mockbot.dialects.openapi import object_schema
from mockbot.dialects.parameter import Table
from mockbot.dialects.prompt_prefixes import Block, prefixes
from mockbot.dialects.reading import FACTORS, count_tokens, json_length, prompt_tokens, text_length
from mockbot.dialects.tool_calls import Mode, calls_now

_SIMPLE = {"model", "messages", "max_tokens", "stream", "system"}  # all that most requests have; no more is checked
_KINDS = {str: "string", int: "integer", bool: "boolean", list: "list", dict: "dictionary"}
# Tools of Anthropic's that the client runs: their type's beginning, and an input that such a program understands.
_CLIENT_TOOLS: dict[str, Json] = {
    "bash_": {"command": {"const": "ls"}},
    "text_editor_": {"command": {"const": "view"}, "path": {"const": "/"}},
    "computer_": {"action": {"const": "screenshot"}},
    "memory_": {"command": {"const": "view"}, "path": {"const": "/memories"}},
}


def question_of(data: Json, table: Table, *, cached: bool) -> Question:
    """What a request asks, or ProviderError(400). `cached`: some of its blocks may be marked for the cache."""
    model, messages, tools, tokens = asked(data)
    most: int = _field(data, "max_tokens", int)
    if most < 1:
        raise ProviderError(400, None, "max_tokens: Input should be greater than or equal to 1")
    config = _field(data, "output_config", dict, required=False) or {}
    output = config.get("format")
    schema = output.get("schema") if isinstance(output, dict) else None
    not_done = () if data.keys() <= _SIMPLE else check(data, table)
    if output is not None and not isinstance(schema, dict):
        raise ProviderError(400, None, "output_config.format.schema: Field required")
    stops = _field(data, "stop_sequences", list, required=False) or []
    if not all(isinstance(each, str) for each in stops):
        raise ProviderError(400, None, "stop_sequences: Input should be a valid list of strings")
    return Question(
        model=model,
        stream=bool(_field(data, "stream", bool, required=False)),
        max_tokens=most,
        prompt_tokens=tokens,
        form=Form(
            calls=_calls(data, tools, messages),
            schema=schema,
            stop=tuple(stops),
            thinking=_thinking(data, config.get("effort")),
        ),
        prefixes=prefixes(model, _blocks(data, tools, messages)) if cached else (),
        not_done=not_done,
    )


def asked(data: Json) -> tuple[str, list[Json], list[Any], int]:
    """The model, the messages, the tools, and the tokens of the prompt; ProviderError for what is missing or wrong."""
    model, messages = _field(data, "model", str), _messages(data)
    tools = _field(data, "tools", list, required=False) or []
    characters = text_length(data.get("system")) + sum([text_length(each.get("content")) for each in messages])
    return model, messages, tools, prompt_tokens(characters, len(messages)) + count_tokens(json_length(tools))


def _messages(data: Json) -> list[Json]:
    messages: list[Any] = _field(data, "messages", list)
    if not messages:
        raise ProviderError(400, None, "messages: at least one message is required")
    for message in messages:
        # Nothing is to be checked in a text of the user's.
        if (
            type(message) is not dict
            or message.get("role") != "user"
            or type(message.get("content")) is not str
            or not message["content"]
        ):
            check_messages(messages)
            break
    return messages


def _field(data: Json, name: str, kind: type, *, required: bool = True) -> Any:
    """One field of the right type, or None when it is absent and not required."""
    value = data.get(name)
    if type(value) is kind or (value is None and not required):
        return value
    if value is None:
        raise ProviderError(400, None, f"{name}: Field required")
    raise ProviderError(400, None, f"{name}: Input should be a valid {_KINDS[kind]}")


def _calls(data: Json, tools: list[Any], messages: list[Json]) -> tuple[Tool, ...]:
    """Tools that run at the provider, such as web_search, are never called."""
    offered = []
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise ProviderError(400, None, f"tools.{index}.name: Field required")
        schema: object = tool.get("input_schema", {"type": "object"})
        kind = str(tool.get("type") or "custom")
        if not isinstance(schema, dict):
            raise ProviderError(400, None, f"tools.{index}.input_schema: Input should be a valid dictionary")
        if kind == "custom":
            offered.append(Tool(tool["name"], schema))
        elif known := next((given for begin, given in _CLIENT_TOOLS.items() if kind.startswith(begin)), None):
            offered.append(Tool(tool["name"], object_schema([*known], known)))
    choice = _field(data, "tool_choice", dict, required=False) or {}
    chosen, name = choice.get("type"), choice.get("name")
    mode: Mode = "none" if chosen == "none" else "required" if chosen in ("any", "tool") else "auto"
    if chosen == "tool":
        if name not in [tool.name for tool in offered]:
            raise ProviderError(400, None, f"Tool '{name}' not found in provided tools")
        offered = [tool for tool in offered if tool.name == name]
    return calls_now(offered, mode, _results(messages), choice.get("disable_parallel_tool_use") is not True)


def _results(messages: list[Json]) -> list[str]:
    """The names of the tools whose results came since the last answer in words."""
    names: dict[str, str] = {}
    results: list[str] = []
    for message in messages:
        content = message["content"] if isinstance(message["content"], list) else []
        blocks = [block for block in content if isinstance(block, dict)]
        calls = {str(block.get("id")): str(block.get("name")) for block in blocks if block.get("type") == "tool_use"}
        names |= calls
        if message["role"] == "assistant" and not calls:
            results.clear()
        results += [names.get(str(each.get("tool_use_id")), "") for each in blocks if each.get("type") == "tool_result"]
    return results


def _thinking(data: Json, effort: object) -> Thinking | None:
    asked = _field(data, "thinking", dict, required=False) or {}
    if asked.get("type") not in ("enabled", "adaptive"):
        return None
    factor, budget = FACTORS.get(str(effort or "high"), FACTORS["high"]), asked.get("budget_tokens")
    return Thinking(factor, budget if type(budget) is int else None, asked.get("display") != "omitted", sealed=True)


def _blocks(data: Json, tools: list[Any], messages: list[Json]) -> list[Block]:
    """The prompt in the order in which it is cached: tools, system, messages (docs.anthropic.com, prompt caching)."""
    system = data.get("system") or []
    parts = [*tools, *(system if isinstance(system, list) else [system])]
    for message in messages:
        content = message["content"]
        parts += content if isinstance(content, list) else [content]
    found = []
    for number, each in enumerate(parts):
        part = {"type": "text", "text": each} if isinstance(each, str) else each
        control = part.get("cache_control") if isinstance(part, dict) else None
        if number == len(parts) - 1:
            control = control or data.get("cache_control")  # of the request: its last block is meant
        hour = isinstance(control, dict) and control.get("ttl") == "1h"
        keep = 3600.0 if hour else 300.0 if control else 0.0
        found.append(Block(part, json_length(part) if number < len(tools) else text_length([part]), keep))
    return found
