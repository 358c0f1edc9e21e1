"""Read JSON bodies field by field, with errors that name the field, as the providers' own do."""

from typing import Any

from pydantic_core import from_json

from mockbot.dialects.dialect import Json, ProviderError

_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def kind_name(value: object) -> str:
    """How the providers name a JSON type."""
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
        message = f"Invalid type for '{full}': expected {_KINDS[kind]}, but got {kind_name(value)} instead."
        raise ProviderError(400, "invalid_type", message, param=full)
    raise ProviderError(400, "missing_required_parameter", f"Missing required parameter: '{full}'.", param=full)


def at_least(data: Json, name: str, least: int) -> int | None:
    """An integer field with a minimum."""
    value: int | None = field(data, name, int)
    if value is not None and value < least:
        message = (
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {value} instead."
        )
        raise ProviderError(400, "integer_below_min_value", message, param=name)
    return value


def text_length(content: object) -> int:
    """Characters of a message's content: a string, or parts of which some carry text."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, list):
        return sum(
            len(text) for part in content if isinstance(part, dict) and isinstance(text := part.get("text"), str)
        )
    return 0


def count_tokens(text: str) -> int:
    """About four characters a token, the providers' own rule of thumb for English."""
    return max(1, (len(text) + 3) // 4)
