"""Read JSON bodies field by field, with errors that name the field, as the providers' own do."""

from typing import Any

from pydantic_core import from_json

from mockbot.dialects.dialect import Json, ProviderError

_KINDS = {
    str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array", dict: "an object",
}  # fmt: skip


def kind_name(value: object) -> str:
    """The providers' name of a value's JSON type."""
    return "null" if value is None else _KINDS.get(type(value), "something else")


def json_object(body: bytes, not_json: str) -> Json:
    """The body as a JSON object, or ProviderError(400) with the provider's own sentence."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise ProviderError(400, None, not_json) from None
    if not isinstance(value, dict):
        raise ProviderError(400, None, not_json)
    return value


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
    message = f"Invalid type for '{name}': expected {_KINDS[expected]}, but got {kind_name(value)} instead."
    return ProviderError(400, "invalid_type", message, param=name)


def at_least(data: Json, name: str, least: int) -> int | None:
    """An integer field with a minimum."""
    value: int | None = field(data, name, int)
    if value is not None and value < least:
        reason = f"integer below minimum value. Expected a value >= {least}, but got {value} instead."
        raise ProviderError(400, "integer_below_min_value", f"Invalid '{name}': {reason}", param=name)
    return value


def text_length(content: object) -> int:
    """Characters of a message's content: a string, or parts of which some carry text."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return sum(len(text) for text in texts if isinstance(text, str))
    return 0


def count_tokens(characters: int) -> int:
    """About four characters a token, the providers' own rule of thumb for English."""
    return (characters + 3) // 4


def prompt_tokens(characters: int, messages: int) -> int:
    """Tokens of a prompt: its text, 3 per message and 3 for the answer's beginning (OpenAI's cookbook counts so)."""
    return count_tokens(characters) + 3 * messages + 3
