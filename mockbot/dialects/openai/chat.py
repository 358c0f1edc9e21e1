"""OpenAI chat completions: `POST /v1/chat/completions`, plain and streamed. Wire facts: incidents_and_clients.md §4.

Events are `data: {...}` and a blank line without an `event:` line; the last is `data: [DONE]`. With
`stream_options.include_usage` every chunk has `usage: null` and one more, with empty `choices`, carries it.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Shape, Stream, Tool
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat_messages import check_json_mode, check_messages
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import CHAT, check, check_model, check_together
from mockbot.dialects.openai.request_fields import at_least, field, function_of, output_schema, tool_called
from mockbot.dialects.openapi import ANY_OBJECT, NULLABLE_BOOLEAN, NULLABLE_OBJECT, object_schema
from mockbot.dialects.reading import prompt_tokens, text_length
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader

_DONE = b"data: [DONE]\n\n"
_SIMPLE = {"model", "messages", "stream"}  # all that most requests have; they skip the rest of the reader
_PLAIN = ("user", "system", "developer")
_ROLE = {"enum": ["developer", "system", "user", "assistant"]}
_MESSAGE = object_schema(["role", "content"], {"role": _ROLE, "content": {"type": "string"}})


class OpenAIChat(OpenAIEndpoint):
    """Chat completions."""

    path = "/v1/chat/completions"
    prompt_fields = ("messages", "user", "safety_identifier")
    parameters = CHAT
    malformed = b'data: {"id":"chatcmpl-\n\n'
    schema = object_schema(
        ["model", "messages"],
        {
            "model": {"type": "string", "examples": ["gpt-4o-mini"]},
            "messages": {"type": "array", "minItems": 1, "items": _MESSAGE},
            "stream": NULLABLE_BOOLEAN,
            "stream_options": {**NULLABLE_OBJECT, "properties": {"include_usage": NULLABLE_BOOLEAN}},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "max_tokens": {"type": ["integer", "null"], "minimum": 1},
            "tools": {"type": ["array", "null"], "items": ANY_OBJECT},
            "tool_choice": {},
            "response_format": NULLABLE_OBJECT,
        },
    )

    def question(self, data: Json, model: str) -> Question:
        messages = _messages(data)
        stream = field(data, "stream", bool) is True
        tokens = prompt_tokens(sum([text_length(message.get("content")) for message in messages]), len(messages))
        if data.keys() <= _SIMPLE:
            return Question(model, stream, None, tokens)
        not_done = check(data, self.parameters)
        check_model(data, model)
        check_together(data)
        most = at_least(data, "max_completion_tokens", 1) or at_least(data, "max_tokens", 1)
        offered = [
            function_of(f"tools[{index}].function", tool.get("function") if isinstance(tool, dict) else None)
            for index, tool in enumerate(field(data, "tools", list) or [])
        ]
        output = field(data, "response_format", dict)
        if output and output.get("type") == "json_object":
            check_json_mode(messages)
        options = field(data, "stream_options", dict) or {}
        if options and not stream:
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise ProviderError(400, "invalid_value", message, param="stream_options")
        usage = field(options, "include_usage", bool, within="stream_options") is True
        tool = tool_called(data, offered, messages[-1]["role"] == "tool")
        schema = output_schema(output, "response_format")
        return Question(model, stream, most, tokens, usage, tool, schema, not_done=not_done)

    def whole(self, meta: AnswerMetadata, text: str) -> bytes:
        content = encode_basestring_ascii(text)
        tool = meta.question.tool
        if tool is None:
            message, finish = f'"content":{content},"refusal":null,"annotations":[]', "stop"
        else:
            message, finish = f'"content":null,"refusal":null,"tool_calls":[{_call(meta, tool, content)}]', "tool_calls"
        finish = "length" if meta.cut_short else finish
        return (
            f'{{"id":"{meta.name("chatcmpl-")}","object":"chat.completion","created":{meta.created},'
            f'"model":{encode_basestring_ascii(meta.question.model)},"choices":[{{"index":0,"message":'
            f'{{"role":"assistant",{message}}},"logprobs":null,"finish_reason":"{finish}"}}],'
            f'"usage":{usage(meta)},"service_tier":"default","system_fingerprint":"fp_mockbot"}}'
        ).encode()

    def stream(self, meta: AnswerMetadata) -> Stream:
        return _ChatStream(meta)

    def reader(self, streamed: bool) -> Reader:
        return ChatReader() if streamed else WholeReader(text_of=_text)


class _ChatStream:
    """One streamed chat completion."""

    __slots__ = ("_after", "_before", "_head", "_meta", "_tool")

    def __init__(self, meta: AnswerMetadata) -> None:
        question = meta.question
        self._meta, self._tool = meta, question.tool
        self._head = (
            f'data: {{"id":"{meta.name("chatcmpl-")}","object":"chat.completion.chunk","created":{meta.created},'
            f'"model":{encode_basestring_ascii(question.model)},"service_tier":"default","system_fingerprint":"fp_mockbot",'
            f'"choices":'
        )
        self._before = f'{self._head}[{{"index":0,"delta":'
        self._after = ',"logprobs":null,"finish_reason":null}]' + (
            ',"usage":null}\n\n' if question.include_usage else "}\n\n"
        )

    def opening(self) -> bytes:
        if self._tool is None:
            delta = '{"role":"assistant","content":"","refusal":null}'
        else:
            call = _call(self._meta, self._tool, '""', index='"index":0,')
            delta = f'{{"role":"assistant","content":null,"tool_calls":[{call}]}}'
        return f"{self._before}{delta}{self._after}".encode()

    def words(self, text: str) -> bytes:
        escaped = encode_basestring_ascii(text)
        if self._tool is None:
            return f'{self._before}{{"content":{escaped}}}{self._after}'.encode()
        delta = f'{{"tool_calls":[{{"index":0,"function":{{"arguments":{escaped}}}}}]}}'
        return f"{self._before}{delta}{self._after}".encode()

    def closing(self) -> bytes:
        meta = self._meta
        finish = "length" if meta.cut_short else "stop" if self._tool is None else "tool_calls"
        after = self._after.replace("null}]", f'"{finish}"}}]', 1)
        last = f"{self._before}{{}}{after}".encode()
        if not meta.question.include_usage:
            return last + _DONE
        return last + f'{self._head}[],"usage":{usage(meta)}}}\n\n'.encode() + _DONE

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return b"data: " + json.dumps({"error": openai_errors.event(code)}).encode() + b"\n\n"


class ChatReader(EventReader):
    """Chat completion chunks, then `[DONE]`."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        if data == b"[DONE]":
            self.over = True
        elif "error" in (chunk := json.loads(data)):
            self.fail("error_event")
        else:
            for choice in chunk["choices"]:  # the usage chunk has none
                delta = choice["delta"]
                self.token(delta.get("content"), now)
                for call in delta.get("tool_calls") or ():
                    self.token(call["function"].get("arguments"), now)
                self.finished = self.finished or choice.get("finish_reason") is not None


def _text(answer: Any) -> str:
    choice = answer["choices"][0]
    if choice["finish_reason"] is None:
        raise ValueError("an answer without its end")
    message = choice["message"]
    calls = "".join(call["function"]["arguments"] for call in message.get("tool_calls") or ())
    return (message["content"] or "") + calls


def usage(meta: AnswerMetadata) -> str:
    """The usage object of a chat completion, as JSON."""
    prompt, completion = meta.question.prompt_tokens, meta.tokens
    return (
        f'{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{prompt + completion},'
        '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,'
        '"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    )


def _call(meta: AnswerMetadata, tool: Tool, arguments: str, index: str = "") -> str:
    function = f'{{"name":{encode_basestring_ascii(tool.name)},"arguments":{arguments}}}'
    return f'{{{index}"id":"{meta.name("call_")}","type":"function","function":{function}}}'


def _messages(data: Json) -> list[Json]:
    messages: list[Any] = field(data, "messages", list, required=True)
    if not messages:
        reason = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        raise ProviderError(400, "empty_array", f"Invalid 'messages': {reason}", param="messages")
    for message in messages:
        # Nothing is to be checked in a text by one who calls no tools.
        if type(message) is not dict or message.get("role") not in _PLAIN or type(message.get("content")) is not str:
            check_messages(messages)
            break
    return messages
