"""Anthropic messages: `POST /v1/messages`, plain and streamed. Wire facts: incidents_and_clients.md §4.2 to §4.4.

Events: message_start, content_block_start, ping, content_block_delta*, content_block_stop, message_delta (stop reason
and usage), message_stop. A tool call is a block of its own whose input comes as pieces of JSON. The reset of a limit is
an ISO time.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.anthropic import error_bodies as anthropic_errors
from mockbot.dialects.anthropic.anthropic_parameters import MESSAGES, check
from mockbot.dialects.anthropic.message_checks import check_messages
from mockbot.dialects.dialect import (
    Allowance,
    AnswerMetadata,
    Header,
    Json,
    ProviderError,
    Question,
    Reason,
    Shape,
    Stream,
    Tool,
)
from mockbot.dialects.openapi import ANY_OBJECT, RESPONSES, object_schema
from mockbot.dialects.reading import json_object, prompt_tokens, text_length
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader

MODELS = {
    "claude-opus-5-5": "Claude Opus 5.5", "claude-sonnet-5-5": "Claude Sonnet 5.5",
    "claude-haiku-5-5": "Claude Haiku 5.5", "claude-mockbot": "mockbot",
}  # fmt: skip
_CREATED = "2025-01-01T00:00:00Z"
_SIMPLE = {"model", "messages", "max_tokens", "stream", "system"}  # all that most requests have; no more is checked
_KINDS = {str: "string", int: "integer", bool: "boolean", list: "list", dict: "dictionary"}
_MESSAGE = object_schema(["role", "content"], {"role": {"enum": ["user", "assistant"]}, "content": {}})


class AnthropicMessages:
    """Messages."""

    path = "/v1/messages"
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
        },
    )

    def read(self, body: bytes) -> Question:
        data = json_object(body, anthropic_errors.NOT_JSON)
        model, messages, tokens = asked(data)
        most: int = _field(data, "max_tokens", int)
        if most < 1:
            raise ProviderError(400, None, "max_tokens: Input should be greater than or equal to 1")
        output = (_field(data, "output_config", dict, required=False) or {}).get("format")
        schema = output.get("schema") if isinstance(output, dict) else None
        tool = _tool_called(data, messages)
        not_done = () if data.keys() <= _SIMPLE else check(data, self.parameters)
        if output is not None and not isinstance(schema, dict):
            raise ProviderError(400, None, "output_config.format.schema: Field required")
        stream = bool(_field(data, "stream", bool, required=False))
        return Question(model, stream, most, tokens, tool=tool, schema=schema, not_done=not_done)

    def whole(self, meta: AnswerMetadata, text: str) -> bytes:
        return (
            f'{{"id":"{meta.name("msg_")}","type":"message","role":"assistant",'
            f'"model":{encode_basestring_ascii(meta.question.model)},"content":[{_block(meta, text)}],'
            f'"stop_reason":"{_stop_reason(meta)}","stop_sequence":null,"usage":{_usage(meta, meta.tokens)}}}'
        ).encode()

    def stream(self, meta: AnswerMetadata) -> Stream:
        return _MessageStream(meta)

    def reader(self, streamed: bool) -> Reader:
        return _MessageReader() if streamed else WholeReader(text_of=_text)

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

    def error_headers(self, status: int) -> list[Header]:
        """x-should-retry, as captured on 429 and 529."""
        return [(b"x-should-retry", b"true" if anthropic_errors.row_of(status).retry else b"false")]


class _MessageStream:
    """One streamed message."""

    __slots__ = ("_meta",)

    def __init__(self, meta: AnswerMetadata) -> None:
        self._meta = meta

    def opening(self) -> bytes:
        meta = self._meta
        message = (
            f'{{"id":"{meta.name("msg_")}","type":"message","role":"assistant",'
            f'"model":{encode_basestring_ascii(meta.question.model)},"content":[],"stop_reason":null,"stop_sequence":null,'
            f'"usage":{_usage(meta, 1)}}}'
        )
        return (
            _event("message_start", f'"message":{message}')
            + _event("content_block_start", f'"index":0,"content_block":{_block(meta, "", begun=True)}')
            + AnthropicMessages.keepalive
        )

    def words(self, text: str) -> bytes:
        tool = self._meta.question.tool
        kind = '"text_delta","text"' if tool is None else '"input_json_delta","partial_json"'
        return _event("content_block_delta", f'"index":0,"delta":{{"type":{kind}:{encode_basestring_ascii(text)}}}')

    def closing(self) -> bytes:
        meta = self._meta
        delta = f'"delta":{{"stop_reason":"{_stop_reason(meta)}","stop_sequence":null}}'
        delta += f',"usage":{{"output_tokens":{meta.tokens}}}'
        return _event("content_block_stop", '"index":0') + _event("message_delta", delta) + _event("message_stop")

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return anthropic_errors.event(code)


class _MessageReader(EventReader):
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


def _text(answer: Any) -> str:
    if answer["stop_reason"] is None:
        raise ValueError("a message without its end")
    return "".join(block.get("text") or str(block.get("input") or "") for block in answer["content"])


def request_id(mark: int) -> str:
    """The id of the request with this fingerprint."""
    return f"req_{mark:016x}{mark ^ 0x9E3779B97F4A7C15:08x}"


def served(model: str) -> str:
    """The model, or ProviderError(404) as Anthropic words it; any Claude is served."""
    if not model.startswith(("claude-", "mockbot")):
        raise ProviderError(404, "not_found_error", f"model: {model}", unknown_model=model)
    return model


def listed() -> bytes:
    """The whole list of models."""
    names = list(MODELS)
    models = {"data": [_entry(name) for name in names], "has_more": False, "first_id": names[0], "last_id": names[-1]}
    return json.dumps(models).encode()


def one(model: str) -> bytes:
    """One model."""
    return json.dumps(_entry(served(model))).encode()


def _entry(model: str) -> dict[str, object]:
    return {"type": "model", "id": model, "display_name": MODELS.get(model, model), "created_at": _CREATED}


def _event(kind: str, values: str = "") -> bytes:
    return f'event: {kind}\ndata: {{"type":"{kind}"{"," if values else ""}{values}}}\n\n'.encode()


def _usage(meta: AnswerMetadata, output: int) -> str:
    return (
        f'{{"input_tokens":{meta.question.prompt_tokens},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
        f'"output_tokens":{output},"service_tier":"standard"}}'
    )


def _block(meta: AnswerMetadata, text: str, *, begun: bool = False) -> str:
    tool = meta.question.tool
    if tool is None:
        return f'{{"type":"text","text":{encode_basestring_ascii(text)}}}'
    given = "{}" if begun or meta.cut_short else text or "{}"
    name = encode_basestring_ascii(tool.name)
    return f'{{"type":"tool_use","id":"{meta.name("toolu_")}","name":{name},"input":{given}}}'


def _stop_reason(meta: AnswerMetadata) -> str:
    if meta.cut_short:
        return "max_tokens"
    return "end_turn" if meta.question.tool is None else "tool_use"


def _field(data: Json, name: str, kind: type, *, required: bool = True) -> Any:
    value = data.get(name)
    if type(value) is kind or (value is None and not required):
        return value
    if value is None:
        raise ProviderError(400, None, f"{name}: Field required")
    raise ProviderError(400, None, f"{name}: Input should be a valid {_KINDS[kind]}")


def asked(data: Json) -> tuple[str, list[Json], int]:
    """The model, the messages, and the tokens of the prompt; ProviderError for what is missing or wrong."""
    model, messages = served(_field(data, "model", str)), _messages(data)
    characters = text_length(data.get("system")) + sum([text_length(each.get("content")) for each in messages])
    return model, messages, prompt_tokens(characters, len(messages))


def _messages(data: Json) -> list[Json]:
    messages: list[Any] = _field(data, "messages", list)
    if not messages:
        raise ProviderError(400, None, "messages: at least one message is required")
    for message in messages:
        # Nothing is to be checked in a text of the user's.
        if (
            type(message) is not dict
            or message.get("role") != "user"
            or type(message.get("content")) is not str
            or not message["content"]
        ):
            check_messages(messages)
            break
    return messages


def _tool_called(data: Json, messages: list[Json]) -> Tool | None:
    tools = []
    for index, tool in enumerate(_field(data, "tools", list, required=False) or []):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise ProviderError(400, None, f"tools.{index}.name: Field required")
        schema = tool.get("input_schema", {"type": "object"})
        if not isinstance(schema, dict):
            raise ProviderError(400, None, f"tools.{index}.input_schema: Input should be a valid dictionary")
        tools.append(Tool(tool["name"], schema))
    choice = _field(data, "tool_choice", dict, required=False) or {}
    kind, name = choice.get("type"), choice.get("name")
    if kind == "tool":
        if name not in [tool.name for tool in tools]:
            raise ProviderError(400, None, f"Tool '{name}' not found in provided tools")
        return next(tool for tool in tools if tool.name == name)
    content = messages[-1]["content"]
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    answered = any(block.get("type") == "tool_result" for block in blocks)  # a tool is called until its result is there
    return None if not tools or kind == "none" or (answered and kind != "any") else tools[0]
