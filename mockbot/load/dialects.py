"""How each API is asked: dialect, key and question in, a Request out. One table instead of `if dialect ==`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mockbot.load.recorder import Request
from mockbot.load.stream import Reader, anthropic_stream, openai_stream, whole_answer

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


def request(name: Name, prefix: str, body: Body, key: str, marks: Mapping[str, str], *, stream: bool) -> Request:
    """`prefix`: the path of the base URL, without /v1; `marks`: headers by which the service knows the attempt."""
    dialect = DIALECTS[name]
    whole = {**dialect.extra, **body, "stream": stream, **(dialect.stream_extra if stream else {})}
    return Request(
        uri=prefix + dialect.path,
        body=json.dumps(whole).encode(),
        headers={**COMMON, **dialect.headers(key), **marks},
        reader=dialect.stream if stream else whole_answer,
    )
