"""A request to Converse that is nothing but texts is read by a shorter way, with the same result as any other."""

import json
from typing import Any

import pytest

from mockbot.dialects.bedrock.converse import Converse
from mockbot.dialects.dialect import ProviderError, Question

MODEL = "eu.anthropic.claude-sonnet-5-5-v1:0"


def said(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


HELLO, AGAIN = said("user", {"text": "Hello there"}), said("assistant", {"text": "General Kenobi "})


def read(messages: object, **more: object) -> Question | str:
    """What is asked, or the words of the refusal."""
    try:
        return Converse().read_for(MODEL, json.dumps({"messages": messages, **more}).encode(), b"")
    except ProviderError as error:
        return str(error.message)


@pytest.mark.parametrize(
    "messages",
    [
        [HELLO],
        [HELLO, AGAIN, HELLO],
        [HELLO, AGAIN],
        [HELLO, HELLO],
        [{**HELLO, "name": "Obi-Wan"}],
        [said("user", {"text": "x" * 8000})],
        [said("user", {"text": "Hello"}, {"text": "there"})],
        [said("user", {"text": "x" * 8000}, {"cachePoint": {"type": "default"}})],
        [said("user", {"text": " "})],
        [said("user", {"text": ""})],
        [said("user")],
        [AGAIN, HELLO],
        [said("system", {"text": "Be brief"}), HELLO],
        [said("user", {"text": 1})],
        [said("user", {"text": "Hello", "image": {}})],
        ["Hello"],
        [],
    ],
)
def test_texts_alone_are_read_like_every_other_request(messages: list[Any]) -> None:
    assert read(messages) == read(messages, inferenceConfig={})
