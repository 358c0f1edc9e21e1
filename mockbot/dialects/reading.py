"""What the dialects' readers of requests share: JSON objects, the names of JSON types, and counts of tokens."""

from pydantic_core import from_json

from mockbot.dialects.dialect import Json, ProviderError

KINDS = {
    str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array", dict: "an object",
}  # fmt: skip


def kind_name(value: object) -> str:
    """The providers' name of a value's JSON type."""
    return "null" if value is None else KINDS.get(type(value), "something else")


def json_object(body: bytes, not_json: str) -> Json:
    """The body as a JSON object, or ProviderError(400) with the provider's own sentence."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise ProviderError(400, None, not_json) from None
    if not isinstance(value, dict):
        raise ProviderError(400, None, not_json)
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
