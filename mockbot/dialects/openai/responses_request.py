"""Read what is peculiar to a Responses request: items, reasoning, tools with their results, and what becomes of it."""

from typing import Any

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.dialect import Json, ProviderError, Storage, Thinking
from mockbot.dialects.openai.endpoint import service_tier
from mockbot.dialects.openai.request_fields import custom_of, field, function_of, thinking, tools_called, wrong_type

# What a response repeats of its request, and what it says where the request says nothing.
_ECHO: Json = {
    "background": False, "instructions": None, "max_output_tokens": None, "max_tool_calls": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": None, "prompt_cache_retention": None,
    "safety_identifier": None, "store": True, "temperature": 1.0, "tool_choice": "auto", "top_logprobs": 0,
    "top_p": 1.0, "truncation": "disabled", "user": None,
}  # fmt: skip
_FUNCTION: Json = {"strict": True, "description": None}


def reasoning(data: Json, include: list[object]) -> Thinking | None:
    """The reasoning that is asked for: its effort, whether there is a summary, and encrypted content."""
    asked: Json = field(data, "reasoning", dict) or {}
    shown = (asked.get("summary") or asked.get("generate_summary")) is not None
    effort = asked.get("effort") or ("medium" if shown else None)
    return thinking(effort, shown=shown, sealed="reasoning.encrypted_content" in include)


def echo(data: Json, text: Json) -> Json:
    """What the response repeats of its request."""
    asked: Json = field(data, "reasoning", dict) or {}
    tools: list[Json] = field(data, "tools", list) or []
    return {
        **{name: usual if data.get(name) is None else data[name] for name, usual in _ECHO.items()},
        "reasoning": {"effort": None, "summary": None, **asked},
        "service_tier": service_tier(data),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
        "tools": [_FUNCTION | tool if tool.get("type") == "function" else tool for tool in tools],
    }


def storage(data: Json, items: list[Json]) -> Storage | None:
    """What becomes of the response; None: nothing."""
    store, background = field(data, "store", bool) is not False, field(data, "background", bool) is True
    previous: str | None = field(data, "previous_response_id", str)
    if background and not store:
        message = "Background mode requires 'store' to be true."
        raise ProviderError(400, "invalid_value", message, param="background")
    return Storage(store, background, previous, items) if store or previous is not None else None


def listed_item(item: Json, id_: str) -> Json:
    """An item of the input as it is listed."""
    content = item.get("content")
    if isinstance(content, str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        item = {**item, "content": [{"type": kind, "text": content}]}
    return {"id": id_, "type": "message", "status": "completed", **item}


def input_items(data: Json) -> list[Json]:
    """The items of `input`; a text stands for a message of the user's."""
    given = data.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    items: list[Any] = field(data, "input", list, required=True)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise wrong_type(f"input[{index}]", dict, item)
    return items


def calls(data: Json, items: list[Json]) -> tuple[Tool, ...]:
    """Tools that run at the provider, such as web_search, are never called."""
    offered = []
    for index, tool in enumerate(field(data, "tools", list) or []):
        if not isinstance(tool, dict):
            raise wrong_type(f"tools[{index}]", dict, tool)
        if (kind := tool.get("type")) in ("function", "custom"):
            offered.append((custom_of if kind == "custom" else function_of)(f"tools[{index}]", tool))
    return tools_called(data, offered, _results(items))


def _results(items: list[Json]) -> list[str]:
    """The names of the tools whose results came since the last answer in words."""
    names: dict[str, str] = {}
    results: list[str] = []
    for item in items:
        called = str(item.get("call_id"))
        if item.get("type") in ("function_call", "custom_tool_call"):
            names[called] = str(item.get("name"))
        elif item.get("type") in ("function_call_output", "custom_tool_call_output"):
            results.append(names.get(called, ""))
        elif item.get("role") == "assistant":
            results.clear()
    return results
