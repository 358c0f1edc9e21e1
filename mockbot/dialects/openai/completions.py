"""OpenAI completions, the legacy API: `POST /v1/completions`, plain and streamed.

Each of the prompts gets `n` choices, in the order of the prompts. Events are `data: {...}` with a piece of one choice,
then the end of each with its `finish_reason`, and `data: [DONE]`.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.dialect import AnswerMetadata, Form, Json, ProviderError, Question, Shape, Stream
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chunk_reader import DONE, ChunkReader
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import COMPLETIONS, check
from mockbot.dialects.openai.request_fields import field, stops
from mockbot.dialects.openapi import NULLABLE_BOOLEAN, NULLABLE_OBJECT, object_schema
from mockbot.dialects.reading import count_tokens
from mockbot.dialects.stream_readers import Reader, WholeReader

_USUAL = 16  # tokens at most, when the client does not say: OpenAI's own default
_MOST_CHOICES = 2048
CHAT_MODELS = ("gpt-4", "gpt-5", "o1", "o3", "o4", "chatgpt-")
_CHAT_MODEL = (
    "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?"
)


class OpenAICompletions(OpenAIEndpoint):
    """Completions."""

    path = "/v1/completions"
    prompt_fields = ("prompt", "suffix", "user")
    parameters = COMPLETIONS
    malformed = b'data: {"id":"cmpl-\n\n'
    schema = object_schema(
        ["model", "prompt"],
        {
            "model": {"type": "string", "examples": ["gpt-3.5-turbo-instruct"]},
            "prompt": {"type": ["string", "array"], "items": {}, "minItems": 1},
            "max_tokens": {"type": ["integer", "null"], "minimum": 0},
            "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
            "echo": NULLABLE_BOOLEAN,
            "stop": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            "stream": NULLABLE_BOOLEAN,
            "stream_options": {**NULLABLE_OBJECT, "properties": {"include_usage": NULLABLE_BOOLEAN}},
        },
    )

    def question(self, data: Json, model: str) -> Question:
        if model.startswith(CHAT_MODELS):
            raise ProviderError(404, "unknown_url", _CHAT_MODEL, param="model")  # whose code on the wire is null
        not_done = check(data, self.parameters)
        prompts, n = _prompts(data.get("prompt")), field(data, "n", int) or 1
        if len(prompts) * n > _MOST_CHOICES:
            raise ProviderError(400, "invalid_value", f"Too many choices: {len(prompts) * n}.", param="n")
        most = field(data, "max_tokens", int)
        options = field(data, "stream_options", dict) or {}
        return Question(
            model=model,
            stream=field(data, "stream", bool) is True,
            max_tokens=_USUAL if most is None else max(1, most),
            prompt_tokens=sum(max(1, count_tokens(len(prompt))) for prompt in prompts),
            include_usage=field(options, "include_usage", bool, within="stream_options") is True,
            form=Form(choices=len(prompts) * n, stop=stops(data)),
            echo={"prompts": prompts} if field(data, "echo", bool) else {},
            not_done=not_done,
        )

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        written = [
            _choice(index, _begin(meta, index) + "".join([part.text for part in choice.parts]), _finish(choice))
            for index, choice in enumerate(choices)
        ]
        return f'{_head(meta)}[{",".join(written)}],"usage":{_usage(meta)}}}'.encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _CompletionStream(meta, choices)

    def reader(self, streamed: bool) -> Reader:
        return _CompletionReader() if streamed else WholeReader(text_of=_text)


class _CompletionStream(PartStream):
    """One streamed completion."""

    __slots__ = ("_after", "_before", "_meta")

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        self._meta, self._before = meta, f"data: {_head(meta)}"
        self._after = ',"usage":null}\n\n' if meta.question.include_usage else "}\n\n"

    def _event(self, index: int, text: str, finish: str = "null") -> bytes:
        return f"{self._before}[{_choice(index, text, finish)}]{self._after}".encode()

    def begin(self, index: int, number: int) -> bytes:
        begin = "" if number else _begin(self._meta, index)
        return self._event(index, begin) if begin else b""

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:  # noqa: ARG002
        return self._event(index, "".join(tokens))

    def finish(self) -> bytes:
        last = b"".join([self._event(index, "", _finish(choice)) for index, choice in enumerate(self.choices)])
        if self._meta.question.include_usage:
            last += f'{self._before}[],"usage":{_usage(self._meta)}}}\n\n'.encode()
        return last + DONE

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return b"data: " + json.dumps({"error": openai_errors.event(code)}).encode() + b"\n\n"


class _CompletionReader(ChunkReader):
    """Chunks whose choices have `text`."""

    __slots__ = ()

    def words(self, choice: Any, now: float) -> None:
        self.token(choice["text"], now)


def _text(answer: Any) -> str:
    choice = answer["choices"][0]
    if choice["finish_reason"] is None:
        raise ValueError("an answer without its end")
    return str(choice["text"])


def _head(meta: AnswerMetadata) -> str:
    model = encode_basestring_ascii(meta.question.model)
    return (
        f'{{"id":"{meta.name("cmpl-")}","object":"text_completion","created":{meta.created},"model":{model},'
        '"system_fingerprint":"fp_mockbot","choices":'
    )


def _begin(meta: AnswerMetadata, index: int) -> str:
    """What a choice begins with: its prompt, where the client wants that."""
    prompts = meta.question.echo.get("prompts")
    return str(prompts[index * len(prompts) // meta.question.form.choices]) if isinstance(prompts, list) else ""


def _finish(choice: Choice) -> str:
    return '"length"' if choice.ending == "length" else '"stop"'


def _choice(index: int, text: str, finish: str) -> str:
    """`finish` is JSON."""
    return f'{{"text":{encode_basestring_ascii(text)},"index":{index},"logprobs":null,"finish_reason":{finish}}}'


def _usage(meta: AnswerMetadata) -> str:
    prompt, completion = meta.question.prompt_tokens, meta.tokens
    return f'{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{prompt + completion}}}'


def _prompts(given: object) -> list[str]:
    """The texts of `prompt`: one, or an array of them. Token numbers stand for a text."""
    prompts = given if isinstance(given, list) and given and type(given[0]) is not int else [given]
    texts = []
    for each in prompts:
        if isinstance(each, str):
            texts.append(each)
        elif isinstance(each, list) and each and all(type(number) is int for number in each):
            texts.append(" ".join(map(str, each)))
        else:
            message = "'$.prompt' is invalid. Please check the API reference."
            raise ProviderError(400, "invalid_value", message, param="prompt")
    return texts
