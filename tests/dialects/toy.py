"""An API that no provider has, made as CONTRIBUTING.md says; `test_one_place.py` puts it into a copy of the package.

POST /talk {"say": "...", "pieces": false}      {"reply": "..."}, or events {"piece": "..."} and {"over": true}
"""

import json
from collections.abc import Mapping
from typing import Any

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.dialect import (
    Allowance,
    AnswerMetadata,
    Header,
    ProviderError,
    Question,
    Reason,
    Shape,
    Stream,
)
from mockbot.dialects.family import Family, KeyPlace
from mockbot.dialects.openapi import RESPONSES, object_schema
from mockbot.dialects.parameter import Table, done
from mockbot.dialects.reading import json_object, prompt_tokens, text_length
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader


class Talk:
    """Its only endpoint."""

    path = "/talk"
    largest_body = 2**20
    schema: Mapping[str, object] = object_schema(["say"], {"say": {"type": "string"}, "pieces": {"type": "boolean"}})
    responses = RESPONSES
    prompt_fields = ("say",)
    parameters: Table = done("say", "pieces")
    keepalive = b": still here\n\n"
    malformed = b"data: {\n\n"

    def read(self, body: bytes) -> Question:
        data = json_object(body, "not JSON")
        return Question("toy", data.get("pieces") is True, prompt_tokens=prompt_tokens(text_length(data["say"]), 1))

    def unknown_model(self, model: str) -> ProviderError:
        return ProviderError(404, model)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it says nothing else
        return json.dumps({"reply": choices[0].parts[0].text}).encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:  # noqa: ARG002
        return _Pieces(choices)

    def reader(self, streamed: bool) -> Reader:
        return _PiecesReader() if streamed else WholeReader(text_of=lambda answer: str(answer["reply"]))

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:  # noqa: ARG002
        return [(b"toy-request", b"%d" % mark)]

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        return ProviderError(503, reason, retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002
        return json.dumps({"problem": error.code or error.status}).encode()

    def error_headers(self, error: ProviderError) -> list[Header]:  # noqa: ARG002
        return []


class _Pieces(PartStream):
    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:  # noqa: ARG002 - there is one part
        return _event({"piece": "".join(tokens)})

    def finish(self) -> bytes:
        return _event({"over": True})

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002
        return _event({"problem": code})


class _PiecesReader(EventReader):
    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        match json.loads(data):
            case {"piece": text}:
                self.token(text, now)
            case {"over": True}:
                self.finished = self.over = True
            case _:
                self.fail("error_event")


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


TOY = Family(
    name="toy",
    dialects=(Talk(),),
    ask=lambda question, streamed: {"say": question["messages"][-1]["content"], "pieces": streamed},
    key_places=(KeyPlace("toy-key"), KeyPlace("key", in_query=True)),
    headers={"toy-version": "1"},
    retry_header="toy-retry",
    environment=lambda url, key: {"TOY_URL": f"{url}/talk", "TOY_KEY": key},
    hosts=("toy.example",),
    models_path="/models",
    models=("toy",),
    model_list=lambda names: json.dumps([*names]).encode(),
    model=lambda name: json.dumps(name).encode(),
)
