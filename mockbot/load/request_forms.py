"""How each API is asked: dialect, key and question in, a Request out. One table instead of `if dialect ==`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from geventhttpclient.header import Headers

from mockbot.load.recorder import Request
from mockbot.load.stream_readers import Reader, anthropic_stream, openai_stream, whole_answer

Name = Literal["openai", "anthropic"]
Body = dict[str, Any]  # goes to json.dumps and nowhere else

COMMON = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "mockbot"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a chat is asked for, what is sent beside it, and who reads the answer."""

    path: str
    headers: Callable[[str], Mapping[str, str]]  # of an API key
    extra: Mapping[str, Any]  # what a body must also say
    stream: Callable[[], Reader]
    stream_extra: Mapping[str, Any]


DIALECTS: Mapping[Name, Dialect] = {
    "openai": Dialect(
        path="/v1/chat/completions",
        headers=lambda key: {"Authorization": f"Bearer {key}"},
        extra={},
        stream=openai_stream,
        stream_extra={"stream_options": {"include_usage": True}},
    ),
    "anthropic": Dialect(
        path="/v1/messages",
        headers=lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        extra={"max_tokens": 1024},
        stream=anthropic_stream,
        stream_extra={},
    ),
}


def chat(model: str, question: str) -> Body:
    """The body that both APIs understand."""
    return {"model": model, "messages": [{"role": "user", "content": question}]}


@dataclass(frozen=True, slots=True)
class Form:
    """A request but for its body and marks, made once for a user and a provider.

    Its headers are geventhttpclient's own type, which that client merges several times faster than a dict.
    """

    uri: str
    headers: Headers
    stream: bool
    dialect: Dialect

    def fill(self, body: bytes, prompt: str, n: int) -> Request:
        """For one attempt, to be sent at once: the marks, by which the service knows it, are the last one's."""
        self.headers["x-mockbot-prompt"] = prompt
        self.headers["x-mockbot-attempt"] = str(n)
        return Request(self.uri, body, self.headers, self.dialect.stream if self.stream else whole_answer)

    def encode(self, body: Body) -> bytes:
        """As the dialect wants it."""
        extra = self.dialect.stream_extra if self.stream else {}
        return json.dumps({**self.dialect.extra, **body, "stream": self.stream, **extra}).encode()


def form(name: Name, prefix: str, key: str, group: str, *, stream: bool) -> Form:
    """`prefix`: the path of the base URL, without /v1."""
    dialect = DIALECTS[name]
    headers = Headers({**COMMON, **dialect.headers(key), "x-mockbot-group": group})
    return Form(prefix + dialect.path, headers, stream, dialect)
