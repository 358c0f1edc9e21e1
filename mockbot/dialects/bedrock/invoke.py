"""InvokeModel and InvokeModelWithResponseStream: `POST /model/{model}/invoke` and `/invoke-with-response-stream`.

The body is the model's own: Anthropic's messages with `anthropic_version` and without `model` and `stream`
(docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html), and the texts to embed
of Titan and Cohere (model-parameters-titan-embed-text.html, model-parameters-embed.html there). Streamed, each of
Anthropic's events is the base64 in a `chunk` event (APIReference/API_runtime_PayloadPart.html).
"""

import json
from base64 import b64decode, b64encode
from typing import Any

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.anthropic.anthropic_parameters import MESSAGES
from mockbot.dialects.anthropic.message_request import question_of
from mockbot.dialects.anthropic.messages import AnthropicMessages, MessageReader, text_of
from mockbot.dialects.bedrock.converse import latency
from mockbot.dialects.bedrock.endpoint import NOT_JSON, BedrockEndpoint, exception_of, model_id
from mockbot.dialects.bedrock.event_frames import MEDIA_TYPE, FrameReader, damaged, event, exception
from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Shape, Stream
from mockbot.dialects.openai.embeddings import vector
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.parameter import Parameter, Table, done, reported
from mockbot.dialects.reading import count_tokens, json_object
from mockbot.dialects.stream_readers import Reader, WholeReader

VERSION = "bedrock-2023-05-31"  # as documented; anthropic-sdk-python 2.14 sends another date (lib/bedrock/_client.py)
_IN_PATH = ("model", "stream")
_READ: Table = {**MESSAGES, "anthropic_beta": reported("betas are ignored"), **done("anthropic_version", *_IN_PATH)}
INVOKE: Table = {
    **{name: each for name, each in _READ.items() if name not in _IN_PATH},
    "inputText": Parameter("done", "Titan's, to embed"),
    "dimensions": Parameter("done", "Titan's"),
    "texts": Parameter("done", "Cohere's, to embed"),
}
_DIMENSIONS = 1024  # of Titan Text Embeddings V2 and of Cohere Embed v3
_ANTHROPIC = AnthropicMessages()
_MESSAGE_STOP = b'{"type":"message_stop"}'


class InvokeModel(BedrockEndpoint):
    """InvokeModel."""

    path = "/model/{model}/invoke"
    prompt_fields = ("system", "messages", "metadata", "inputText", "texts")
    parameters = INVOKE
    malformed = b""
    streams = False
    schema = object_schema(
        ["anthropic_version", "max_tokens", "messages"],
        {
            "anthropic_version": {"type": "string", "examples": [VERSION]},
            "max_tokens": {"type": "integer", "minimum": 1},
            "messages": {"type": "array", "minItems": 1, "items": ANY_OBJECT},
        },
    )

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:  # noqa: ARG002
        model, data = model_id(model), json_object(body, NOT_JSON)
        if "embed" in model:
            return _to_embed(model, data)
        if not isinstance(data.get("anthropic_version"), str):
            raise ProviderError(400, None, "anthropic_version: Field required")
        for name in _IN_PATH:
            if name in data:
                raise ProviderError(400, None, f"{name}: Extra inputs are not permitted")
        del data["anthropic_version"]
        return question_of({**data, "model": model, "stream": self.streams}, _READ, cached=b'"cache_control"' in body)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        return _embedded(meta.question) if meta.question.inputs else _ANTHROPIC.whole(meta, choices)

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _Chunks(meta, _ANTHROPIC.stream(meta, choices))

    def reader(self, streamed: bool) -> Reader:
        return _ChunkReader() if streamed else WholeReader(text_of=_text)


class InvokeModelWithResponseStream(InvokeModel):
    """InvokeModelWithResponseStream."""

    path = "/model/{model}/invoke-with-response-stream"
    malformed = damaged("chunk", b'{"bytes":"e30="}')
    streams = True


class _Chunks:
    """The events of Anthropic's stream, each in a chunk; the last one has Bedrock's own figures, too."""

    __slots__ = ("_events", "_meta")
    media_type = MEDIA_TYPE

    def __init__(self, meta: AnswerMetadata, events: Stream) -> None:
        self._meta, self._events = meta, events

    def opening(self) -> bytes:
        return _chunks(self._events.opening())

    def tokens(self, since: int, upto: int) -> bytes:
        return _chunks(self._events.tokens(since, upto))

    def closing(self) -> bytes:
        meta = self._meta
        figures = (
            f'{{"type":"message_stop","amazon-bedrock-invocationMetrics":{{"inputTokenCount":'
            f'{meta.question.prompt_tokens},"outputTokenCount":{meta.tokens},"invocationLatency":{latency(meta)}}}}}'
        )
        return _chunks(self._events.closing().replace(_MESSAGE_STOP, figures.encode()))

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return exception(*exception_of(code))


def _chunks(events: bytes) -> bytes:
    """Server-sent events in; pings are not passed on."""
    datas = (each.partition(b"\ndata: ")[2] for each in events.split(b"\n\n") if not each.startswith(b"event: ping"))
    return b"".join([event("chunk", b'{"bytes":"%b"}' % b64encode(data)) for data in datas if data])


class _ChunkReader(FrameReader):
    """What is in the chunks, as Anthropic's reader takes it."""

    def event(self, kind: str, payload: Any, now: float) -> None:
        if kind != "chunk":
            return
        inner = MessageReader()
        inner.data(b64decode(payload["bytes"]), now)
        self.token(inner.text, now)
        self.finished |= inner.finished
        self.over |= inner.over


def _to_embed(model: str, data: Json) -> Question:
    texts, dimensions = data.get("texts", [data.get("inputText")]), data.get("dimensions", _DIMENSIONS)
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise ProviderError(400, None, NOT_JSON)
    if type(dimensions) is not int or not 1 <= dimensions <= _DIMENSIONS:
        raise ProviderError(400, None, f"Malformed input request: #/dimensions: {dimensions} is not a valid value")
    tokens = sum(max(1, count_tokens(len(text))) for text in texts)
    return Question(model, prompt_tokens=tokens, inputs=tuple(texts), dimensions=dimensions)


def _embedded(question: Question) -> bytes:
    vectors = [vector(question.model, text, question.dimensions) for text in question.inputs]
    if "cohere" in question.model:
        answer: Json = {"embeddings": vectors, "texts": question.inputs, "response_type": "embeddings_floats"}
    else:
        answer = {"embedding": vectors[0], "inputTextTokenCount": question.prompt_tokens}
    return json.dumps(answer).encode()


def _text(answer: Any) -> str:
    vectors = answer.get("embedding") or answer.get("embeddings")
    return str(vectors) if vectors else text_of(answer)
