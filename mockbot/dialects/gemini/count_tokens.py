"""Gemini's countTokens (ai.google.dev/api/tokens): what the same prompt would be charged.

The body has `contents`, or a whole `generateContentRequest`; Vertex AI's has `systemInstruction` and `tools`, too. The
answer takes as long as the first token of another one.
"""

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import AnswerMetadata, Json, Question
from mockbot.dialects.gemini.contents import instruction_of, turns_of
from mockbot.dialects.gemini.endpoint import GeminiEndpoint, gemini_paths
from mockbot.dialects.gemini.gemini_parameters import COUNT_TOKENS, check, fields, message_at
from mockbot.dialects.gemini.generate_request import tokens_of
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.stream_readers import Reader, WholeReader


class CountTokens(GeminiEndpoint):
    """A count of tokens."""

    path, also = gemini_paths("countTokens")
    prompt_fields = ("contents", "generateContentRequest")
    parameters = COUNT_TOKENS
    schema = object_schema(["contents"], {"contents": {"type": "array", "minItems": 1, "items": ANY_OBJECT}})

    def question(self, data: Json, model: str) -> Question:
        read = fields(data)
        not_done = check(read, COUNT_TOKENS)
        if read.get("generateContentRequest") is not None:
            read = message_at(read, "generateContentRequest")
        tokens = tokens_of(turns_of(read), instruction_of(read), read.get("tools"))
        return Question(model, max_tokens=1, prompt_tokens=tokens, not_done=not_done)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        count = meta.question.prompt_tokens
        return b'{"totalTokens":%d,"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]}' % (count, count)

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        return WholeReader(text_of=lambda answer: str(answer["totalTokens"]))
