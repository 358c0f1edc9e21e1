"""Read what is peculiar to a Responses request: its reasoning, its tools with their results, and what is repeated."""

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.dialect import Json, Thinking
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
