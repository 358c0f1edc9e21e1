"""Converse and ConverseStream: `POST /model/{model}/converse` and `/converse-stream`.

Events: messageStart; for each block contentBlockStart (of calls only), contentBlockDelta*, contentBlockStop;
messageStop with the reason, metadata with usage and latency. docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_Converse.html and API_runtime_ConverseStream.html
"""

import json
import time
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.anthropic.anthropic_parameters import MESSAGES
from mockbot.dialects.anthropic.message_request import question_of
from mockbot.dialects.bedrock.converse_request import UNLIMITED, as_anthropic, plain_texts
from mockbot.dialects.bedrock.endpoint import NOT_JSON, BedrockEndpoint, exception_of, model_id
from mockbot.dialects.bedrock.event_frames import MEDIA_TYPE, FrameReader, damaged, event, exception
from mockbot.dialects.dialect import AnswerMetadata, ProviderError, Question, Shape, Stream
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.parameter import Parameter, Table, done, reported
from mockbot.dialects.reading import json_object, prompt_tokens
from mockbot.dialects.stream_readers import Reader, WholeReader

CONVERSE: Table = {
    **done("messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "requestMetadata"),
    "additionalModelRequestFields": Parameter("done", "Anthropic's, such as `thinking`; those of other models: none"),
    "additionalModelResponseFieldPaths": reported("an answer has no further fields"),
    "guardrailConfig": reported("no guardrail intervenes"),
    "performanceConfig": reported("pace is the scenario's"),
    "projectIdentifier": reported("there are no projects"),
    "promptVariables": reported("no stored prompt is used"),
    "serviceTier": reported("pace is the scenario's"),
}
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "calls": "tool_use"}
_BLOCK = object_schema(["role", "content"], {"role": {"enum": ["user", "assistant"]}, "content": {"type": "array"}})


class Converse(BedrockEndpoint):
    """Converse."""

    path = "/model/{model}/converse"
    prompt_fields = ("system", "messages", "requestMetadata")
    parameters = CONVERSE
    malformed = b""
    streams = False
    schema = object_schema(
        ["messages"],
        {
            "messages": {"type": "array", "minItems": 1, "items": _BLOCK},
            "system": {"type": "array", "items": ANY_OBJECT},
            "inferenceConfig": {"type": "object"},
            "toolConfig": {"type": "object"},
        },
    )

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:  # noqa: ARG002
        data = json_object(body, NOT_JSON)
        if texts := plain_texts(data):
            return Question(model_id(model), self.streams, None, prompt_tokens(sum(map(len, texts)), len(texts)))
        asked = as_anthropic(data, model_id(model), stream=self.streams)
        try:
            question = question_of(asked, _READ, cached=b'"cachePoint"' in body)
        except ProviderError as error:
            raise ProviderError(400, None, f"The model returned the following errors: {error.message}") from None
        known = CONVERSE
        told = tuple(name for name in data if name not in known or known[name].state == "reported")
        most = None if question.max_tokens == UNLIMITED else question.max_tokens
        return question._replace(max_tokens=most, not_done=(*told, *question.not_done))

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        choice = choices[0]
        told = [number for number, part in enumerate(choice.parts) if part.tokens or part.tool is None]
        content = ",".join([_block(meta, choice, number) for number in told])
        return (
            f'{{"metrics":{{"latencyMs":{latency(meta)}}},"output":{{"message":{{"content":[{content}],'
            f'"role":"assistant"}}}},"stopReason":"{_reason(choice)}","usage":{_usage(meta)}}}'
        ).encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _ConverseEvents(meta, choices)

    def reader(self, streamed: bool) -> Reader:
        return _ConverseReader() if streamed else WholeReader(text_of=_text)


class ConverseStream(Converse):
    """ConverseStream."""

    path = "/model/{model}/converse-stream"
    malformed = damaged("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"?"}}')
    streams = True


# `model` and `stream` are in the path, and the rest of Anthropic's has been read already.
_READ: Table = {**MESSAGES, **done("model", "stream")}


class _ConverseEvents(PartStream):
    """One streamed answer. There is one choice, whose parts are the blocks."""

    __slots__ = ("_meta",)
    media_type = MEDIA_TYPE

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        self._meta = meta

    def start(self) -> bytes:
        return event("messageStart", b'{"role":"assistant"}')

    def begin(self, index: int, number: int) -> bytes:  # noqa: ARG002
        tool = self.choices[0].parts[number].tool
        if tool is None:
            return b""
        name, call = encode_basestring_ascii(tool.name), self._meta.name("tooluse_", number)
        start = f'{{"toolUse":{{"name":{name},"toolUseId":"{call}"}}}}'
        return event("contentBlockStart", f'{{"contentBlockIndex":{number},"start":{start}}}'.encode())

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:  # noqa: ARG002
        text = encode_basestring_ascii("".join(tokens))
        match self.choices[0].parts[number].kind:
            case "text":
                return _delta(number, f'{{"text":{text}}}')
            case "call":
                return _delta(number, f'{{"toolUse":{{"input":{text}}}}}')
        return _delta(number, f'{{"reasoningContent":{{"text":{text}}}}}') if self._meta.shows_thoughts else b""

    def end(self, index: int, number: int) -> bytes:  # noqa: ARG002
        signed = b""
        if self.choices[0].parts[number].kind == "thinking":
            signed = _delta(number, f'{{"reasoningContent":{{"signature":"{self._meta.seal()}"}}}}')
        return signed + event("contentBlockStop", b'{"contentBlockIndex":%d}' % number)

    def finish(self) -> bytes:
        usage, metrics = _usage(self._meta), f'{{"latencyMs":{latency(self._meta)}}}'
        stop = event("messageStop", f'{{"stopReason":"{_reason(self.choices[0])}"}}'.encode())
        return stop + event("metadata", f'{{"metrics":{metrics},"usage":{usage}}}'.encode())

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return exception(*exception_of(code))


class _ConverseReader(FrameReader):
    """Deltas, messageStop with the reason, metadata."""

    __slots__ = ()

    def event(self, kind: str, payload: Any, now: float) -> None:
        match kind:
            case "contentBlockDelta":
                delta = payload["delta"]
                self.token(delta.get("text") or delta.get("toolUse", {}).get("input"), now)
            case "messageStop":
                self.finished = payload["stopReason"] is not None
            case "metadata":
                self.over = True


def latency(meta: AnswerMetadata) -> int:
    """Wall milliseconds since its request came."""
    return round((time.perf_counter() - meta.started) * 1000)


def _text(answer: Any) -> str:
    blocks = answer["output"]["message"]["content"]
    if not answer["stopReason"]:
        raise ValueError("a message without its end")
    texts = (json.dumps(each["toolUse"]["input"]) if "toolUse" in each else each.get("text") for each in blocks)
    return "".join(text or "" for text in texts)


def _delta(number: int, delta: str) -> bytes:
    return event("contentBlockDelta", f'{{"contentBlockIndex":{number},"delta":{delta}}}'.encode())


def _reason(choice: Choice) -> str:
    return _STOP_REASONS[choice.ending] if choice.stopped_by is None else "stop_sequence"


def _usage(meta: AnswerMetadata) -> str:
    """`inputTokens` are those that the cache has nothing to do with (API_runtime_TokenUsage.html)."""
    read, written, for_an_hour = meta.cache
    prompt, written = meta.question.prompt_tokens, written + for_an_hour
    cached = f'"cacheReadInputTokens":{read},"cacheWriteInputTokens":{written},' if meta.question.prefixes else ""
    return (
        f'{{{cached}"inputTokens":{prompt - read - written},"outputTokens":{meta.tokens},'
        f'"totalTokens":{prompt + meta.tokens}}}'
    )


def _block(meta: AnswerMetadata, choice: Choice, number: int) -> str:
    part = choice.parts[number]
    if part.kind == "text":
        return f'{{"text":{encode_basestring_ascii(part.text)}}}'
    if part.tool is None:
        text = encode_basestring_ascii(part.text if meta.shows_thoughts else "")
        return f'{{"reasoningContent":{{"reasoningText":{{"signature":"{meta.seal()}","text":{text}}}}}}}'
    half = choice.ending == "length" and part is choice.parts[-1]  # the client's maximum has cut its JSON
    name, given = encode_basestring_ascii(part.tool.name), "{}" if half else part.text or "{}"
    return f'{{"toolUse":{{"input":{given},"name":{name},"toolUseId":"{meta.name("tooluse_", number)}"}}}}'
