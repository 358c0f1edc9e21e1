"""Anthropic's count of tokens: `POST /v1/messages/count_tokens`. It is what the same messages would be charged.

The answer takes as long as the first token of a message.
"""

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.anthropic import error_bodies as anthropic_errors
from mockbot.dialects.anthropic.anthropic_parameters import COUNT_TOKENS, check
from mockbot.dialects.anthropic.message_request import asked
from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.dialect import AnswerMetadata, Question, Stream
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.reading import json_object
from mockbot.dialects.stream_readers import Reader, WholeReader


class AnthropicCountTokens(AnthropicMessages):
    """A count of tokens."""

    path = "/v1/messages/count_tokens"
    prompt_fields = ("system", "messages", "tools")
    parameters = COUNT_TOKENS
    schema = object_schema(
        ["model", "messages"],
        {
            "model": {"type": "string", "examples": ["claude-sonnet-5-5"]},
            "messages": {"type": "array", "minItems": 1, "items": ANY_OBJECT},
            "system": {"type": ["string", "array"], "items": ANY_OBJECT},
            "tools": {"type": "array", "items": ANY_OBJECT},
        },
    )

    def read(self, body: bytes) -> Question:
        data = json_object(body, anthropic_errors.NOT_JSON)
        model, *_, tokens = asked(data)
        return Question(model, max_tokens=1, prompt_tokens=tokens, not_done=check(data, self.parameters))

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        return b'{"input_tokens":%d}' % meta.question.prompt_tokens

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        raise NotImplementedError(f"{meta.question.model} gives no events here")

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        return WholeReader(text_of=lambda answer: str(answer["input_tokens"]))
