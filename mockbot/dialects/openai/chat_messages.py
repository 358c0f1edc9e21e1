"""The messages of a chat, checked as OpenAI does: roles, contents, and tool messages that follow their calls."""

from typing import Any

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.openai.openai_parameters import bad_value
from mockbot.dialects.openai.request_fields import field, wrong_type
from mockbot.dialects.reading import kind_name

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_ITEM_ROLES = ("assistant", "system", "developer", "user")
_PARTS = ("text", "image_url", "input_audio", "refusal", "audio", "file")


def check_messages(messages: list[Any]) -> None:
    """Raises ProviderError(400) for the first message that OpenAI would not take."""
    called: dict[str, int] = {}  # ids of calls whose result is missing -> the message after which it must come
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong_type(f"messages[{index}]", dict, message)
        role = field(message, "role", str, required=True, within=f"messages[{index}]")
        if role not in _ROLES:
            raise bad_value(f"messages[{index}].role", role, _ROLES)
        if role == "tool":
            call = field(message, "tool_call_id", str, required=True, within=f"messages[{index}]")
            if call not in called:
                reason = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise ProviderError(400, None, f"Invalid parameter: {reason}", param=f"messages.[{index}].role")
            del called[call]
            continue
        _check_results(called)
        called = {str(call["id"]): index for call in _calls(message) if "id" in call}
        _check_content(index, message, role)
    _check_results(called)


def _check_results(called: dict[str, int]) -> None:
    """Raises ProviderError(400) when a call has no result."""
    if called:
        message = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(called)}"
        )
        raise ProviderError(400, None, message, param=f"messages.[{max(called.values())}].role")


def _calls(message: Json) -> list[Json]:
    calls = message.get("tool_calls") if message.get("role") == "assistant" else None
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _check_content(index: int, message: Json, role: str) -> None:
    content = message.get("content")
    if content is None:
        if role == "assistant" and any(
            message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
        ):
            return
        reason = f"expected a string, got {kind_name(content)}."
        raise ProviderError(400, None, f"Invalid value for 'content': {reason}", param=f"messages.[{index}].content")
    where = f"messages[{index}].content"
    if not isinstance(content, str | list):
        but = f"expected one of a string or array of objects, but got {kind_name(content)} instead."
        raise ProviderError(400, "invalid_type", f"Invalid type for '{where}': {but}", param=where)
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(part, dict):
            raise wrong_type(f"{where}[{number}]", dict, part)
        kind = field(part, "type", str, required=True, within=f"{where}[{number}]")
        if kind not in _PARTS:
            raise bad_value(f"{where}[{number}].type", kind, _PARTS)


def check_items(items: list[Json], *, begins: bool) -> None:
    """The same for the input of a response; `begins`: there is no earlier one whose calls may be answered."""
    calls = {item.get("call_id") for item in items if str(item.get("type")).endswith("_call")}
    for index, item in enumerate(items):
        kind, role = item.get("type", "message"), item.get("role")
        if kind == "message" and role not in _ITEM_ROLES:
            field(item, "role", str, required=True, within=f"input[{index}]")
            raise bad_value(f"input[{index}].role", role, _ITEM_ROLES)
        if kind == "function_call_output" and begins and item.get("call_id") not in calls:
            message = f"No tool call found for function call output with call_id {item.get('call_id')}."
            raise ProviderError(400, None, message, param="input")


def check_json_mode(messages: list[Json]) -> None:
    """Raises ProviderError(400) when JSON is wanted and no message says so; else a model would fill up with blanks."""
    if not any("json" in str(message.get("content")).lower() for message in messages):
        reason = "must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise ProviderError(400, None, f"'messages' {reason}", param="messages")
