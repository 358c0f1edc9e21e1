"""OpenAI chat completions: `POST /v1/chat/completions`, plain and streamed. Wire facts: incidents_and_clients.md §4.

Events are `data: {...}` and a blank line without an `event:` line; the last is `data: [DONE]`. With
`stream_options.include_usage` every chunk has `usage: null` and one more, with empty `choices`, carries it.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.answer_parts import Choice, PartStream, Tool
from mockbot.dialects.dialect import AnswerMetadata, Form, Json, ProviderError, Question, Shape, Stream
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat_messages import check_json_mode, check_messages
from mockbot.dialects.openai.chat_request import calls, stream_options
from mockbot.dialects.openai.chunk_reader import DONE, ChunkReader
from mockbot.dialects.openai.endpoint import OpenAIEndpoint, cached_tokens, service_tier
from mockbot.dialects.openai.logprobs import chat_logprobs
from mockbot.dialects.openai.openai_parameters import CHAT, check, check_model, check_together
from mockbot.dialects.openai.request_fields import (
    among,
    at_least,
    field,
    output_schema,
    stops,
    thinking,
)
from mockbot.dialects.openapi import ANY_OBJECT, NULLABLE_BOOLEAN, NULLABLE_OBJECT, object_schema
from mockbot.dialects.prompt_prefixes import LEAST, Block, prefixes
from mockbot.dialects.reading import count_tokens, json_length, prompt_tokens, text_length
from mockbot.dialects.stream_readers import Reader, WholeReader

_SIMPLE = {"model", "messages", "stream"}  # all that most requests have; they skip the rest of the reader
_PLAIN = ("user", "system", "developer")
_ROLE = {"enum": ["developer", "system", "user", "assistant"]}
_MESSAGE = object_schema(["role", "content"], {"role": _ROLE, "content": {"type": "string"}})
_NO_CONTENT = '"content":null,'
_ARGUMENT = {"function": "arguments", "custom": "input"}


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
            "stream_options": {
                **NULLABLE_OBJECT,
                "properties": {"include_usage": NULLABLE_BOOLEAN, "include_obfuscation": NULLABLE_BOOLEAN},
            },
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "max_tokens": {"type": ["integer", "null"], "minimum": 1},
            "tools": {"type": ["array", "null"], "items": ANY_OBJECT},
            "tool_choice": {},
            "parallel_tool_calls": NULLABLE_BOOLEAN,
            "functions": {"type": ["array", "null"], "items": ANY_OBJECT},
            "function_call": {},
            "response_format": NULLABLE_OBJECT,
            "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
            "stop": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            "logprobs": NULLABLE_BOOLEAN,
            "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
            "reasoning_effort": {"type": ["string", "null"]},
            "service_tier": {"type": ["string", "null"]},
        },
    )

    def question(self, data: Json, model: str) -> Question:
        messages = _messages(data)
        stream = field(data, "stream", bool) is True
        characters = sum([text_length(message.get("content")) for message in messages])
        tokens = prompt_tokens(characters, len(messages))
        if data.keys() <= _SIMPLE and tokens < LEAST:
            return Question(model, stream, None, tokens)
        not_done = check(data, self.parameters)
        check_model(data, model)
        check_together(data)
        output = field(data, "response_format", dict)
        if output and output.get("type") == "json_object":
            check_json_mode(messages)
        return Question(
            model=model,
            stream=stream,
            max_tokens=at_least(data, "max_completion_tokens", 1) or at_least(data, "max_tokens", 1),
            prompt_tokens=tokens + count_tokens(json_length(data.get("tools")) + json_length(data.get("functions"))),
            include_usage=stream_options(data, stream).get("include_usage") is True,
            form=Form(
                calls=calls(data, messages),
                schema=output_schema(output, "response_format"),
                choices=among(data, "n", 1, 128) or 1,
                stop=stops(data),
                thinking=thinking(field(data, "reasoning_effort", str)),
                logprobs=(among(data, "top_logprobs", 0, 20) or 0) if field(data, "logprobs", bool) else None,
            ),
            prefixes=prefixes(model, (Block(each, text_length(each.get("content"))) for each in messages)),
            echo={"service_tier": service_tier(data)},
            not_done=not_done,
        )

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        written = ",".join([_choice(meta, index, choice) for index, choice in enumerate(choices)])
        return (
            f'{{"id":"{meta.name("chatcmpl-")}","object":"chat.completion","created":{meta.created},'
            f'"model":{encode_basestring_ascii(meta.question.model)},"choices":[{written}],'
            f'"usage":{usage(meta, choices)},"service_tier":{_tier(meta)},"system_fingerprint":"fp_mockbot"}}'
        ).encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return ChatStream(meta, choices)

    def reader(self, streamed: bool) -> Reader:
        return ChatReader() if streamed else WholeReader(text_of=_text)


class ChatStream(PartStream):
    """One streamed chat completion. Thoughts are not sent."""

    __slots__ = ("_after", "_befores", "_head", "_meta", "_usage")

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        question = meta.question
        self._meta = meta
        self._head = (
            f'data: {{"id":"{meta.name("chatcmpl-")}","object":"chat.completion.chunk","created":{meta.created},'
            f'"model":{encode_basestring_ascii(question.model)},"service_tier":{_tier(meta)},'
            f'"system_fingerprint":"fp_mockbot","choices":'
        )
        self._befores = [f'{self._head}[{{"index":{index},"delta":' for index in range(len(choices))]
        self._usage = ',"usage":null}\n\n' if question.include_usage else "}\n\n"
        self._after = f',"logprobs":null,"finish_reason":null}}]{self._usage}'

    def begin(self, index: int, number: int) -> bytes:
        part, role = self.choices[index].parts[number], "" if number else '"role":"assistant",'
        if part.tool is None:
            # After thoughts, the role has been sent.
            return b"" if number else self._chunk(index, f'{{{role}"content":"","refusal":null}}')
        call = _call(self._meta, self.choices[index].call(number), index, part.tool, '""', streamed=True)
        return self._chunk(index, f"{{{role}{'' if number else _NO_CONTENT}{call}}}")

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:
        part, escaped = self.choices[index].parts[number], encode_basestring_ascii("".join(tokens))
        if part.kind == "text":
            wanted = self._meta.question.form.logprobs
            if wanted is None:
                return f'{self._befores[index]}{{"content":{escaped}}}{self._after}'.encode()
            probabilities = self._after.replace("null", chat_logprobs(self._meta.mark, tokens, wanted), 1)
            return f'{self._befores[index]}{{"content":{escaped}}}{probabilities}'.encode()
        if part.tool is None:
            return b""
        if part.tool.kind == "legacy":
            return self._chunk(index, f'{{"function_call":{{"arguments":{escaped}}}}}')
        given = (
            f'"custom":{{"input":{escaped}}}' if part.tool.kind == "custom" else f'"function":{{"arguments":{escaped}}}'
        )
        return self._chunk(index, f'{{"tool_calls":[{{"index":{self.choices[index].call(number)},{given}}}]}}')

    def _chunk(self, index: int, delta: str) -> bytes:
        return f"{self._befores[index]}{delta}{self._after}".encode()

    def finish(self) -> bytes:
        events = "".join(
            [
                f'{before}{{}},"logprobs":null,"finish_reason":"{_finish(choice)}"}}]{self._usage}'
                for before, choice in zip(self._befores, self.choices, strict=True)
            ]
        )
        if self._meta.question.include_usage:
            events += f'{self._head}[],"usage":{usage(self._meta, self.choices)}}}\n\n'
        return events.encode() + DONE

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return b"data: " + json.dumps({"error": openai_errors.event(code)}).encode() + b"\n\n"


class ChatReader(ChunkReader):
    """Chunks whose choices have a `delta` of the message."""

    __slots__ = ()

    def words(self, choice: Any, now: float) -> None:
        delta = choice["delta"]
        self.token(delta.get("content"), now)
        for given in [*(delta.get("tool_calls") or ()), delta]:
            self.token(_arguments(given), now)


def _text(answer: Any) -> str:
    choice = answer["choices"][0]
    if choice["finish_reason"] is None:
        raise ValueError("an answer without its end")
    message = choice["message"]
    given = [*(message.get("tool_calls") or ()), message]
    return (message["content"] or "") + "".join([_arguments(each) for each in given])


def _arguments(given: Any) -> str:
    """Of a call, or of a message with a call of old."""
    called = given.get("function") or given.get("custom") or given.get("function_call") or {}
    return called.get("arguments") or called.get("input") or ""


def usage(meta: AnswerMetadata, choices: tuple[Choice, ...]) -> str:
    """The usage object of a chat completion, as JSON."""
    prompt, completion, thought = meta.question.prompt_tokens, meta.tokens, 0
    if meta.question.form.thinking is not None:
        thought = sum([choice.tokens("thinking") for choice in choices])
    return (
        f'{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{prompt + completion},'
        f'"prompt_tokens_details":{{"cached_tokens":{cached_tokens(meta)},"audio_tokens":0}},'
        f'"completion_tokens_details":{{"reasoning_tokens":{thought},'
        '"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    )


def _tier(meta: AnswerMetadata) -> str:
    return encode_basestring_ascii(str(meta.question.echo.get("service_tier", "default")))


_FINISH = {"stop": "stop", "length": "length", "calls": "tool_calls"}


def _finish(choice: Choice) -> str:
    tool = choice.parts[-1].tool
    legacy = tool is not None and tool.kind == "legacy" and choice.ending == "calls"
    return "function_call" if legacy else _FINISH[choice.ending]


def _choice(meta: AnswerMetadata, index: int, choice: Choice) -> str:
    parts, last, probabilities = choice.parts, choice.parts[-1], "null"
    if len(parts) == 1 and last.tool is None:  # the usual answer, at once
        message = f'"content":{encode_basestring_ascii("".join(last.tokens))},"refusal":null,"annotations":[]'
    else:
        message = _message(meta, index, choice)
    if last.tool is None and (wanted := meta.question.form.logprobs) is not None:
        probabilities = chat_logprobs(meta.mark, last.tokens, wanted)
    return (
        f'{{"index":{index},"message":{{"role":"assistant",{message}}},'
        f'"logprobs":{probabilities},"finish_reason":"{_finish(choice)}"}}'
    )


def _message(meta: AnswerMetadata, index: int, choice: Choice) -> str:
    texts = [part.text for part in choice.parts if part.kind == "text"]
    called = [(part.tool, part.text) for part in choice.parts if part.tool is not None]
    if not called:
        return f'"content":{encode_basestring_ascii("".join(texts))},"refusal":null,"annotations":[]'
    written = [_call(meta, n, index, tool, encode_basestring_ascii(text)) for n, (tool, text) in enumerate(called)]
    return f'{_NO_CONTENT}"refusal":null,' + (
        written[0] if called[0][0].kind == "legacy" else f'"tool_calls":[{",".join(written)}]'
    )


def _call(meta: AnswerMetadata, n: int, index: int, tool: Tool, given: str, *, streamed: bool = False) -> str:
    """The n-th call of a choice, as a member of its message; `given` is JSON."""
    name = encode_basestring_ascii(tool.name)
    if tool.kind == "legacy":
        return f'"function_call":{{"name":{name},"arguments":{given}}}'
    place, identity = f'"index":{n},' if streamed else "", meta.name("call_", index << 8 | n)
    given = f'"{tool.kind}":{{"name":{name},"{_ARGUMENT[tool.kind]}":{given}}}'
    call = f'{{{place}"id":"{identity}","type":"{tool.kind}",{given}}}'
    return f'"tool_calls":[{call}]' if streamed else call


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
