"""What the dialects' readers of requests share: JSON objects, the names of JSON types, and counts of tokens."""

import json

from pydantic_core import from_json

from mockbot.dialects.dialect import Json, ProviderError

KINDS = {
    str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array", dict: "an object",
}  # fmt: skip

# Tokens of thoughts for one of the answer, by effort: OpenRouter documents which share of all tokens it gives to them
# (10, 20, 50, 80 and 95 %; openrouter.ai/docs, reasoning tokens). The providers say only that it grows.
FACTORS = {"minimal": 0.11, "low": 0.25, "medium": 1.0, "high": 4.0, "xhigh": 19.0, "max": 19.0}


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
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return sum(len(text) for text in texts if isinstance(text, str))
    return 0


def json_length(value: object) -> int:
    """Characters of what a prompt has as JSON, such as the tools that it offers; 0 of nothing."""
    return len(json.dumps(value)) if value else 0


def count_tokens(characters: int) -> int:
    """About four characters a token, the providers' own rule of thumb for English."""
    return (characters + 3) // 4


def prompt_tokens(characters: int, messages: int) -> int:
    """Tokens of a prompt: its text, 3 per message and 3 for the answer's beginning (OpenAI's cookbook counts so)."""
    return count_tokens(characters) + 3 * messages + 3
