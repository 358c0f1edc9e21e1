"""Read what is peculiar to a chat completion's request: the options of its stream, and its tools with their results."""

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.openai.request_fields import custom_of, field, function_of, tools_called


def stream_options(data: Json, stream: bool) -> Json:
    options: Json = field(data, "stream_options", dict) or {}
    if options and not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ProviderError(400, "invalid_value", message, param="stream_options")
    for name in ("include_usage", "include_obfuscation"):  # obfuscation is never sent
        field(options, name, bool, within="stream_options")
    return options


def calls(data: Json, messages: list[Json]) -> tuple[Tool, ...]:
    offered = []
    for index, tool in enumerate(field(data, "tools", list) or []):
        kind = "custom" if isinstance(tool, dict) and tool.get("type") == "custom" else "function"
        inner = tool.get(kind) if isinstance(tool, dict) else None
        offered.append((custom_of if kind == "custom" else function_of)(f"tools[{index}].{kind}", inner))
    if offered:
        return tools_called(data, offered, _results(messages))
    old = [
        function_of(f"functions[{index}]", function, "legacy")
        for index, function in enumerate(field(data, "functions", list) or [])
    ]
    choice = data.get("function_call")
    choice = {"type": "function", **choice} if isinstance(choice, dict) else choice
    return tools_called({"tool_choice": choice, "parallel_tool_calls": False}, old, _results(messages))


def _results(messages: list[Json]) -> list[str]:
    """The names of the tools whose results came since the last answer in words."""
    names: dict[object, str] = {}
    results: list[str] = []
    for message in messages:
        role = message.get("role")
        if role == "assistant":
            given = message.get("tool_calls")
            calls = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
            for call in calls:
                inner = call.get(str(call.get("type", "function")))
                names[str(call.get("id"))] = str(inner.get("name")) if isinstance(inner, dict) else ""
            if not calls and not message.get("function_call"):
                results.clear()
        elif role == "tool":
            results.append(names.get(str(message.get("tool_call_id")), ""))
        elif role == "function":
            results.append(str(message.get("name") or ""))
    return results
