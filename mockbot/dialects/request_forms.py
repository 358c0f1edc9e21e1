"""How each chat API is asked: path, headers of a key, the fields its body needs, and the reader of its answer.

One table instead of `if dialect ==` in the clients.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mockbot.dialects.stream_readers import AnthropicStream, OpenAIStream, Reader

Name = Literal["openai", "anthropic"]
Body = dict[str, Any]  # goes to json.dumps and nowhere else


@dataclass(frozen=True, slots=True)
class Dialect:
    """The client's side of one chat API."""

    path: str
    headers: Callable[[str], Mapping[str, str]]  # of an API key
    extra: Mapping[str, Any]  # fields that every body needs
    stream: Callable[[], Reader]
    stream_extra: Mapping[str, Any]  # fields that a streamed request needs too


DIALECTS: Mapping[Name, Dialect] = {
    "openai": Dialect(
        path="/v1/chat/completions",
        headers=lambda key: {"Authorization": f"Bearer {key}"},
        extra={},
        stream=OpenAIStream,
        stream_extra={"stream_options": {"include_usage": True}},
    ),
    "anthropic": Dialect(
        path="/v1/messages",
        headers=lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        extra={"max_tokens": 1024},  # the API refuses a request without it
        stream=AnthropicStream,
        stream_extra={},
    ),
}


def chat(model: str, question: str) -> Body:
    """The body that both APIs understand."""
    return {"model": model, "messages": [{"role": "user", "content": question}]}
