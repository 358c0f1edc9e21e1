"""Gemini's generateContent and streamGenerateContent (ai.google.dev/api/generate-content), whole and streamed.

A stream is made of whole GenerateContentResponses, each with the next parts and the usage so far; only the last has a
finishReason. With `alt=sse` they are events `data: {...}` and a blank line, whose lines end in CR LF; without it, they
are the members of one JSON array. There is no event for the end. A call of a function comes in one piece. Thoughts are
parts with `thought: true` when `includeThoughts` asks for them; the signature is on the first call, else on the last
part of the text (ai.google.dev/gemini-api/docs/thought-signatures).
"""

import json
from collections import Counter
from json.encoder import encode_basestring_ascii
from typing import Any
from urllib.parse import parse_qs

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.dialect import AnswerMetadata, Question, Shape, Stream
from mockbot.dialects.gemini import error_bodies as gemini_errors
from mockbot.dialects.gemini.endpoint import NOT_JSON, GeminiEndpoint, gemini_paths
from mockbot.dialects.gemini.gemini_parameters import GENERATE
from mockbot.dialects.gemini.generate_request import question_of
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.reading import json_object
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader

_PART = {"type": "object", "properties": {"text": {"type": "string"}}}
_CONTENT = object_schema(
    ["parts"],
    {"role": {"enum": ["user", "model"]}, "parts": {"type": "array", "minItems": 1, "items": _PART}},
)


class GenerateContent(GeminiEndpoint):
    """An answer in one piece."""

    path, also = gemini_paths("generateContent")
    streams = False
    prompt_fields = ("contents", "systemInstruction", "system_instruction", "labels")
    parameters = GENERATE
    schema = object_schema(
        ["contents"],
        {
            "contents": {"type": "array", "minItems": 1, "items": _CONTENT},
            "systemInstruction": _CONTENT,
            "tools": {"type": "array", "items": ANY_OBJECT},
            "toolConfig": ANY_OBJECT,
            "generationConfig": ANY_OBJECT,
            "safetySettings": {"type": "array", "items": ANY_OBJECT},
        },
    )

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:
        question = question_of(json_object(body, NOT_JSON), model)
        if not self.streams:
            return question
        events = b"alt=sse" in query and parse_qs(query.decode("latin-1")).get("alt") == ["sse"]
        return question._replace(stream=True, as_array=not events)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        candidates = [
            _candidate(index, ",".join(_parts(meta, choice, index)), _REASONS[choice.ending])
            for index, choice in enumerate(choices)
        ]
        return f'{{"candidates":[{",".join(candidates)}],{_end(meta, choices)}'.encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _ArrayStream(meta, choices) if meta.question.as_array else _EventStream(meta, choices)

    def reader(self, streamed: bool) -> Reader:
        """A stream that is an array is read as one document."""
        return _StreamReader() if streamed else WholeReader(text_of=_text)


class StreamGenerateContent(GenerateContent):
    """An answer in events, or in the members of an array."""

    path, also = gemini_paths("streamGenerateContent")
    streams = True


class _EventStream(PartStream):
    """One streamed answer."""

    __slots__ = ("_given", "_heads", "_meta", "_sent", "_tail", "_thought")

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        self._meta, self._sent, self._thought = meta, 0, 0
        self._given: Counter[tuple[int, int]] = Counter()  # tokens of each call
        beginning = '{"candidates":[{"index":%d,"content":{"role":"model","parts":['
        self._heads = tuple(beginning % index for index in range(len(choices)))
        self._tail = _tail(meta)

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:
        part, text = self.choices[index].parts[number], encode_basestring_ascii("".join(tokens))
        if part.kind == "call":
            self._given[index, number] += len(tokens)
        elif part.kind == "text":
            self._sent += len(tokens)
            return self._response(index, f'{{"text":{text}}}')
        else:
            self._thought += len(tokens)
            if self._meta.shows_thoughts:
                return self._response(index, f'{{"thought":true,"text":{text}}}')
        return b""

    def end(self, index: int, number: int) -> bytes:
        choice, given = self.choices[index], self._given[index, number]
        if not given or given < len(choice.parts[number].tokens):
            return b""
        self._sent += given
        call = _call(self._meta, choice, index, number)
        return self._response(index, call) if call else b""

    def finish(self) -> bytes:
        candidates = []
        for index, choice in enumerate(self.choices):
            # The signature of a text comes with its end, in a part without text.
            signed = _seal(self._meta) if choice.parts[-1].kind == "text" else ""
            last = f'{{"text":""{signed}}}' if choice.tokens("text") or choice.tokens("call") else ""
            candidates.append(_candidate(index, last, _REASONS[choice.ending]))
        written = f'{{"candidates":[{",".join(candidates)}],{_end(self._meta, self.choices)}'
        return self.framed(written.encode())

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return self.framed(gemini_errors.event(code))

    def _response(self, index: int, part: str) -> bytes:
        usage = _usage(self._meta, self._sent, self._thought)
        return self.framed(f"{self._heads[index]}{part}]}}}}],{usage}{self._tail}".encode())

    def framed(self, response: bytes) -> bytes:
        """One response of the stream."""
        return b"data: " + response + b"\r\n\r\n"


class _ArrayStream(_EventStream):
    """The same responses as the members of an array."""

    __slots__ = ("_begun",)
    media_type = b"application/json; charset=UTF-8"

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(meta, choices)
        self._begun = False

    def finish(self) -> bytes:
        return super().finish() + b"\n]\n"

    def error(self, code: str, shape: Shape) -> bytes:
        return super().error(code, shape) + b"\n]\n"

    def framed(self, response: bytes) -> bytes:
        begun, self._begun = self._begun, True
        return (b"\n,\r\n" if begun else b"[") + response


class _StreamReader(EventReader):
    """Responses; the one with a finishReason is the last."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        response = json.loads(data)
        if "error" in response:
            self.fail("error_event")
            return
        for candidate in response["candidates"]:
            if candidate.get("index", 0) == 0:
                self.token(_said(candidate), now)
                self.finished = self.over = self.finished or "finishReason" in candidate


def _text(answer: Any) -> str:
    """Of an answer, or of the array that a stream is without `alt=sse`; ValueError for one without its end."""
    responses = answer if isinstance(answer, list) else [answer]
    candidates = [response["candidates"][0] for response in responses]
    if "finishReason" not in candidates[-1]:
        raise ValueError("an answer without its end")
    return "".join(map(_said, candidates))


def _said(candidate: Any) -> str:
    parts = candidate["content"].get("parts", ())
    return "".join(
        json.dumps(part["functionCall"]["args"]) if "functionCall" in part else part.get("text", "")
        for part in parts
        if not part.get("thought")
    )


_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "calls": "STOP"}


def _response_id(meta: AnswerMetadata) -> str:
    return meta.name("")[:22]


def _seal(meta: AnswerMetadata) -> str:
    """The member of a part that has the signature; none of an answer without thoughts."""
    thinking = meta.question.form.thinking
    return f',"thoughtSignature":"{meta.seal()}"' if thinking is not None and thinking.sealed else ""


def _candidate(index: int, parts: str, reason: str) -> str:
    written = f',"parts":[{parts}]' if parts else ""  # an answer without content has no parts
    return f'{{"index":{index},"content":{{"role":"model"{written}}},"finishReason":"{reason}"}}'


def _parts(meta: AnswerMetadata, choice: Choice, index: int) -> list[str]:
    if len(choice.parts) == 1 and choice.parts[0].kind == "text" and meta.question.form.thinking is None:
        text = choice.parts[0].text
        return [f'{{"text":{encode_basestring_ascii(text)}}}'] if text else []
    written = []
    for number, part in enumerate(choice.parts):
        if part.kind == "call":
            written += [call] if (call := _call(meta, choice, index, number)) else []
        elif part.tokens and (part.kind == "text" or meta.shows_thoughts):
            thought, signed = ('"thought":true,', "") if part.kind == "thinking" else ("", _seal(meta))
            written.append(f'{{{thought}"text":{encode_basestring_ascii(part.text)}{signed}}}')
    return written


def _call(meta: AnswerMetadata, choice: Choice, index: int, number: int) -> str:
    """The call as a part; none when the client's maximum has cut it, or a fault has emptied it."""
    part = choice.parts[number]
    if part.tool is None or not part.tokens or (choice.ending == "length" and part is choice.parts[-1]):
        return ""
    name, signed = encode_basestring_ascii(part.tool.name), "" if choice.call(number) else _seal(meta)
    identity = meta.name("call_", index << 8 | number)
    return f'{{"functionCall":{{"id":"{identity}","name":{name},"args":{part.text}}}{signed}}}'


def _end(meta: AnswerMetadata, choices: tuple[Choice, ...]) -> str:
    """The rest of the only response, or of the last one."""
    thought = 0
    if meta.question.form.thinking is not None:
        thought = sum([choice.tokens("thinking") for choice in choices])
    return _usage(meta, meta.tokens - thought, thought) + _tail(meta)


def _usage(meta: AnswerMetadata, tokens: int, thought: int) -> str:
    """The members of the usage that grow with a stream."""
    prompt, more = meta.question.prompt_tokens, ""
    if thought:
        more = f'"thoughtsTokenCount":{thought},'
    return (
        f'"usageMetadata":{{"promptTokenCount":{prompt},"candidatesTokenCount":{tokens},{more}'
        f'"totalTokenCount":{prompt + tokens + thought},'
    )


def _tail(meta: AnswerMetadata) -> str:
    """What follows them: the rest of the usage, model, id, and the closing brace."""
    prompt, cached = meta.question.prompt_tokens, ""
    if meta.cache.read:
        cached = f'"cachedContentTokenCount":{meta.cache.read},'
    return (
        f'{cached}"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{prompt}}}]}},'
        f'"modelVersion":{encode_basestring_ascii(meta.question.model)},"responseId":"{_response_id(meta)}"}}'
    )
