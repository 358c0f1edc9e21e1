"""Anthropic messages: `POST /v1/messages`, plain and streamed. Wire facts: incidents_and_clients.md §4.2 to §4.4.

Events: message_start; for each block content_block_start, content_block_delta*, content_block_stop; message_delta (stop
reason and usage), message_stop; a ping after the first block's start. The input of a tool call comes as pieces of JSON;
the last delta of thoughts is their signature. The reset of a limit is an ISO time.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.anthropic import error_bodies as anthropic_errors
from mockbot.dialects.anthropic.anthropic_parameters import MESSAGES
from mockbot.dialects.anthropic.message_request import question_of
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
from mockbot.dialects.openapi import ANY_OBJECT, RESPONSES, object_schema
from mockbot.dialects.reading import (
    json_object,
)
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader

_MESSAGE = object_schema(["role", "content"], {"role": {"enum": ["user", "assistant"]}, "content": {}})


class AnthropicMessages:
    """Messages."""

    path = "/v1/messages"
    largest_body = 32 * 2**20  # docs.anthropic.com, "Errors", request size limits: Messages API 32 MB
    prompt_fields = ("system", "messages", "metadata")
    parameters = MESSAGES
    responses: Mapping[int | str, dict[str, object]] = {**RESPONSES, 529: {"description": "Overloaded"}}
    keepalive = b'event: ping\ndata: {"type": "ping"}\n\n'
    malformed = b'event: content_block_delta\ndata: {"type":"content_blo\n\n'
    schema = object_schema(
        ["model", "max_tokens", "messages"],
        {
            "model": {"type": "string", "examples": ["claude-sonnet-5-5"]},
            "max_tokens": {"type": "integer", "minimum": 1},
            "messages": {"type": "array", "minItems": 1, "items": _MESSAGE},
            "system": {"type": ["string", "array"], "items": ANY_OBJECT},
            "stream": {"type": "boolean"},
            "tools": {"type": "array", "items": ANY_OBJECT},
            "tool_choice": {"type": "object"},
            "output_config": {"type": "object"},
            "stop_sequences": {"type": "array", "items": {"type": "string"}},
            "thinking": {"type": "object"},
        },
    )

    def read(self, body: bytes) -> Question:
        data = json_object(body, anthropic_errors.NOT_JSON)
        return question_of(data, self.parameters, cached=b'"cache_control"' in body)

    def unknown_model(self, model: str) -> ProviderError:
        return ProviderError(404, "not_found_error", f"model: {model}", unknown_model=model)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        choice = choices[0]
        told = [number for number, part in enumerate(choice.parts) if part.tokens or part.tool is None]
        content = ",".join([_block(meta, choice, number) for number in told])
        return (
            f'{{"id":"{meta.name("msg_")}","type":"message","role":"assistant",'
            f'"model":{encode_basestring_ascii(meta.question.model)},"content":[{content}],'
            f'{_stop_reason(choice)},"usage":{_usage(meta, meta.tokens, choice)}}}'
        ).encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _MessageStream(meta, choices)

    def reader(self, streamed: bool) -> Reader:
        return MessageReader() if streamed else WholeReader(text_of=text_of)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:  # noqa: ARG002
        """Request id, and the true state of the key's limits, whose resets are points in time."""
        headers = [(b"request-id", request_id(mark).encode()), (b"anthropic-organization-id", b"mockbot")]
        for allowance in allowances:
            unit = b"anthropic-ratelimit-" + allowance.unit.encode()
            at = datetime.fromtimestamp(time.time() + allowance.reset / speed, UTC)
            headers += [
                (unit + b"-limit", b"%d" % allowance.limit),
                (unit + b"-remaining", b"%d" % allowance.remaining),
                (unit + b"-reset", at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
            ]
        return headers

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Limits are 429 with the wait; a lack of capacity is 529, with a wait only if the scenario gives one."""
        if reason in ("rate_limited", "token_limited", "too_large"):
            return ProviderError(429, "rate_limit_error", retry_after=retry_after)
        return ProviderError(529, "overloaded_error", retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:
        return anthropic_errors.body(error, request_id(mark))

    def error_headers(self, error: ProviderError) -> list[Header]:
        """x-should-retry, as captured on 429 and 529."""
        return [(b"x-should-retry", b"true" if anthropic_errors.row_of(error.status).retry else b"false")]


_DELTA = {
    "text": '"text_delta","text"',
    "call": '"input_json_delta","partial_json"',
    "thinking": '"thinking_delta","thinking"',
}


class _MessageStream(PartStream):
    """One streamed message. There is one choice, whose parts are the blocks."""

    __slots__ = ("_meta",)

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        self._meta = meta

    def start(self) -> bytes:
        meta = self._meta
        message = (
            f'{{"id":"{meta.name("msg_")}","type":"message","role":"assistant",'
            f'"model":{encode_basestring_ascii(meta.question.model)},"content":[],"stop_reason":null,"stop_sequence":null,'
            f'"usage":{_usage(meta, 1)}}}'
        )
        return _event("message_start", f'"message":{message}')

    def begin(self, index: int, number: int) -> bytes:  # noqa: ARG002
        block = _block(self._meta, self.choices[0], number, begun=True)
        event = _event("content_block_start", f'"index":{number},"content_block":{block}')
        return event if number else event + AnthropicMessages.keepalive

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:  # noqa: ARG002
        kind = self.choices[0].parts[number].kind
        if kind == "thinking" and not self._meta.shows_thoughts:
            return b""
        return _delta(number, _DELTA[kind], "".join(tokens))

    def end(self, index: int, number: int) -> bytes:  # noqa: ARG002
        signed = b""
        if self.choices[0].parts[number].kind == "thinking":
            signed = _delta(number, '"signature_delta","signature"', self._meta.seal())
        return signed + _event("content_block_stop", f'"index":{number}')

    def finish(self) -> bytes:
        choice = self.choices[0]
        usage = _usage(self._meta, self._meta.tokens, choice)
        delta = f'"delta":{{{_stop_reason(choice)}}},"usage":{usage}'
        return _event("message_delta", delta) + _event("message_stop")

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return anthropic_errors.event(code)


class MessageReader(EventReader):
    """Content blocks, message_delta with the stop reason, message_stop."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        event = json.loads(data)
        match event["type"]:
            case "content_block_delta":
                delta = event["delta"]
                self.token(delta.get("text") or delta.get("partial_json"), now)
            case "message_delta":
                self.finished = event["delta"].get("stop_reason") is not None
            case "message_stop":
                self.over = True
            case "error":
                self.fail("error_event")


def text_of(answer: Any) -> str:
    if answer["stop_reason"] is None:
        raise ValueError("a message without its end")
    texts = (
        json.dumps(each["input"]) if each["type"] == "tool_use" else each.get("text") for each in answer["content"]
    )
    return "".join(text or "" for text in texts)


def request_id(mark: int) -> str:
    """The id of the request with this fingerprint."""
    return f"req_{mark:016x}{mark ^ 0x9E3779B97F4A7C15:08x}"


def _event(kind: str, values: str = "") -> bytes:
    return f'event: {kind}\ndata: {{"type":"{kind}"{"," if values else ""}{values}}}\n\n'.encode()


def _delta(number: int, kind: str, text: str) -> bytes:
    return _event("content_block_delta", f'"index":{number},"delta":{{"type":{kind}:{encode_basestring_ascii(text)}}}')


def _usage(meta: AnswerMetadata, output: int, choice: Choice | None = None) -> str:
    """As JSON; `input_tokens` are those that the cache has nothing to do with."""
    read, written, for_an_hour = meta.cache
    tokens = meta.question.prompt_tokens - read - written - for_an_hour
    thought = ""
    if choice is not None and meta.question.form.thinking is not None:
        thought = f',"output_tokens_details":{{"thinking_tokens":{choice.tokens("thinking")}}}'
    return (
        f'{{"input_tokens":{tokens},"cache_creation_input_tokens":{written + for_an_hour},'
        f'"cache_read_input_tokens":{read},"cache_creation":{{"ephemeral_5m_input_tokens":{written},'
        f'"ephemeral_1h_input_tokens":{for_an_hour}}},"output_tokens":{output}{thought},"service_tier":"standard"}}'
    )


def _block(meta: AnswerMetadata, choice: Choice, number: int, *, begun: bool = False) -> str:
    part = choice.parts[number]
    text = "" if begun else part.text
    if part.kind == "text":
        return f'{{"type":"text","text":{encode_basestring_ascii(text)}}}'
    if part.tool is None:
        thought, seal = encode_basestring_ascii(text if meta.shows_thoughts else ""), "" if begun else meta.seal()
        return f'{{"type":"thinking","thinking":{thought},"signature":"{seal}"}}'
    half = choice.ending == "length" and part is choice.parts[-1]  # the client's maximum has cut its JSON
    name, given = encode_basestring_ascii(part.tool.name), "{}" if half else text or "{}"
    return f'{{"type":"tool_use","id":"{meta.name("toolu_", number)}","name":{name},"input":{given}}}'


_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "calls": "tool_use"}


def _stop_reason(choice: Choice) -> str:
    """Two members of a message."""
    if choice.stopped_by is None:
        return f'"stop_reason":"{_STOP_REASONS[choice.ending]}","stop_sequence":null'
    return f'"stop_reason":"stop_sequence","stop_sequence":{encode_basestring_ascii(choice.stopped_by)}'
