"""OpenAI moderations: `POST /v1/moderations`. Nothing is ever flagged, because nothing is judged.

The answer takes as long as the first token of a chat.
"""

import json

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Stream
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import MODERATIONS, check
from mockbot.dialects.openapi import object_schema
from mockbot.dialects.reading import count_tokens, text_length
from mockbot.dialects.stream_readers import Reader, WholeReader

_CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_SCORE = 1e-6
_RESULT: Json = {
    "flagged": False,
    "categories": dict.fromkeys(_CATEGORIES, False),
    "category_scores": dict.fromkeys(_CATEGORIES, _SCORE),
    "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
}
_MOST_INPUTS = 2048


class OpenAIModerations(OpenAIEndpoint):
    """Moderations."""

    path = "/v1/moderations"
    prompt_fields = ("input",)
    parameters = MODERATIONS
    malformed = b""
    default_model = "omni-moderation-latest"
    schema = object_schema(
        ["input"],
        {
            "model": {"type": "string", "examples": ["omni-moderation-latest"]},
            "input": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1},
        },
    )

    def question(self, data: Json, model: str) -> Question:
        check(data, self.parameters)
        given = data.get("input")
        parts = isinstance(given, list) and all(isinstance(each, dict) for each in given)  # one input of several parts
        inputs = given if isinstance(given, list) and not parts else [given]
        if not given or len(inputs) > _MOST_INPUTS or not (parts or all(isinstance(each, str) for each in inputs)):
            message = "'$.input' is invalid. Please check the API reference."
            raise ProviderError(400, "invalid_value", message, param="input")
        characters = sum(text_length(each) for each in inputs)
        return Question(model, max_tokens=1, prompt_tokens=max(1, count_tokens(characters)), inputs=("",) * len(inputs))

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        results = [_RESULT for _ in meta.question.inputs]
        return json.dumps({"id": meta.name("modr-"), "model": meta.question.model, "results": results}).encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        raise NotImplementedError(f"{meta.question.model} gives no events")

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        """Of the list; the first result stands for the text of other answers."""
        return WholeReader(text_of=lambda answer: str(answer["results"][0]["flagged"]))
