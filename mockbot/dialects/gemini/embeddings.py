"""Gemini's embedContent and batchEmbedContents (ai.google.dev/api/embeddings), and Vertex AI's predict of embeddings.

Vertex AI: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api. Unit vectors that depend
on the text and the model only, as those of OpenAI's dialect do.
"""

from typing import Any

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import AnswerMetadata, Json, Question
from mockbot.dialects.gemini.contents import turn_of
from mockbot.dialects.gemini.endpoint import GeminiEndpoint, gemini_paths, vertex_paths
from mockbot.dialects.gemini.gemini_parameters import (
    BATCH_EMBED,
    EMBED,
    PREDICT,
    check,
    fields,
    invalid,
    list_at,
    message_at,
    wrong_value,
)
from mockbot.dialects.openai.embeddings import vector
from mockbot.dialects.openapi import ANY_OBJECT, object_schema
from mockbot.dialects.reading import count_tokens
from mockbot.dialects.stream_readers import Reader, WholeReader

_DIMENSIONS = {"text-embedding-004": 768, "text-embedding-005": 768, "text-multilingual-embedding-002": 768}
_USUAL = 3072  # ai.google.dev/gemini-api/docs/embeddings: gemini-embedding-001
_MOST = 100  # requests in a batch


class EmbedContent(GeminiEndpoint):
    """One embedding."""

    path, also = gemini_paths("embedContent")
    prompt_fields: tuple[str, ...] = ("content",)
    parameters = EMBED
    schema = object_schema(["content"], {"content": ANY_OBJECT, "outputDimensionality": {"type": "integer"}})

    def question(self, data: Json, model: str) -> Question:
        text, wanted = _request(data, "")
        return _asked(model, [text], wanted)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        return f'{{"embedding":{_embeddings(meta)[0]}}}'.encode()

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        """Of the vector, which stands for the text of other answers."""
        return WholeReader(text_of=lambda answer: str(answer["embedding"]["values"]))


class BatchEmbedContents(EmbedContent):
    """Embeddings of up to 100 contents."""

    path, also = gemini_paths("batchEmbedContents")
    prompt_fields = ("requests",)
    parameters = BATCH_EMBED
    schema = object_schema(["requests"], {"requests": {"type": "array", "minItems": 1, "items": ANY_OBJECT}})

    def question(self, data: Json, model: str) -> Question:
        read = fields(data)
        check(read, BATCH_EMBED)
        requests = list_at(read, "requests")
        if not requests:
            raise invalid("* BatchEmbedContentsRequest.requests: requests is not specified\n")
        if len(requests) > _MOST:
            raise invalid(f"* BatchEmbedContentsRequest.requests: at most {_MOST} requests can be in one batch\n")
        found = [_request(each, f"requests[{number}]") for number, each in enumerate(requests)]
        return _asked(model, [text for text, _ in found], found[0][1])

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        return f'{{"embeddings":[{",".join(_embeddings(meta))}]}}'.encode()

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        return WholeReader(text_of=lambda answer: str(answer["embeddings"][0]["values"]))


class Predict(EmbedContent):
    """Vertex AI's embeddings."""

    path, also = vertex_paths("predict")
    vertex = True
    prompt_fields = ("instances",)
    parameters = PREDICT
    schema = object_schema(["instances"], {"instances": {"type": "array", "minItems": 1, "items": ANY_OBJECT}})

    def question(self, data: Json, model: str) -> Question:
        check(data, PREDICT)
        texts = [fields(each).get("content") if isinstance(each, dict) else None for each in list_at(data, "instances")]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise invalid("Request contains an invalid argument.")
        return _asked(model, texts, message_at(data, "parameters").get("outputDimensionality"))

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        predictions = []
        for text, written in zip(meta.question.inputs, _embeddings(meta), strict=True):
            statistics = f'"statistics":{{"truncated":false,"token_count":{max(1, count_tokens(len(text)))}}}'
            predictions.append(f'{{"embeddings":{{{statistics},{written[1:]}}}')
        billed = sum(map(len, meta.question.inputs))
        return f'{{"predictions":[{",".join(predictions)}],"metadata":{{"billableCharacterCount":{billed}}}}}'.encode()

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        return WholeReader(text_of=lambda answer: str(answer["predictions"][0]["embeddings"]["values"]))


def _request(data: Any, where: str) -> tuple[str, object]:
    """The text and the dimensions of an EmbedContentRequest."""
    if not isinstance(data, dict):
        raise wrong_value(where, data, "message")
    read = fields(data)
    check(read, EMBED, where)
    if read.get("content") is None:
        raise invalid("* EmbedContentRequest.content: contents is not specified\n")
    turn = turn_of(read["content"], f"{where}.content".lstrip("."))
    text = " ".join(str(part["text"]) for part in turn.parts if "text" in part)
    config = message_at(read, "embedContentConfig")
    return text, read.get("outputDimensionality") or config.get("outputDimensionality")


def _asked(model: str, texts: list[Any], wanted: object) -> Question:
    if wanted is not None and (type(wanted) is not int or not 1 <= wanted <= _USUAL):
        raise invalid(f"* EmbedContentRequest.output_dimensionality: must be in the range [1, {_USUAL}].\n")
    tokens = sum([max(1, count_tokens(len(text))) for text in texts])
    dimensions = wanted if isinstance(wanted, int) else _DIMENSIONS.get(model, _USUAL)
    return Question(model, prompt_tokens=tokens, inputs=tuple(texts), dimensions=dimensions)


def _embeddings(meta: AnswerMetadata) -> list[str]:
    """Each as an object with its values."""
    question = meta.question
    vectors = (vector(question.model, text, question.dimensions) for text in question.inputs)
    return [f'{{"values":[{",".join([f"{value:.8f}" for value in values])}]}}' for values in vectors]
