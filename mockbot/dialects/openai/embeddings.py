"""OpenAI embeddings: `POST /v1/embeddings`.

Unit vectors that depend on the text and the model only, never on the request.
"""

import base64
import math
import random
import struct
from json.encoder import encode_basestring_ascii

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Stream
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import EMBEDDINGS, check
from mockbot.dialects.openai.request_fields import at_least, field
from mockbot.dialects.openapi import object_schema
from mockbot.dialects.reading import count_tokens
from mockbot.dialects.stream_readers import Reader, WholeReader

_DIMENSIONS = {"text-embedding-3-large": 3072}
_USUAL = 1536
_MOST_INPUTS = 2048  # OpenAI's own limit


class OpenAIEmbeddings(OpenAIEndpoint):
    """Embeddings."""

    path = "/v1/embeddings"
    prompt_fields = ("input", "user")
    parameters = EMBEDDINGS
    malformed = b""
    schema = object_schema(
        ["model", "input"],
        {
            "model": {"type": "string", "examples": ["text-embedding-3-small"]},
            "input": {"type": ["string", "array"], "items": {}, "minItems": 1},
            "dimensions": {"type": ["integer", "null"], "minimum": 1, "maximum": 3072},
            "encoding_format": {"enum": ["float", "base64", None]},
        },
    )

    def question(self, data: Json, model: str) -> Question:
        check(data, self.parameters)
        inputs = _inputs(data.get("input"))
        dimensions = at_least(data, "dimensions", 1) or _DIMENSIONS.get(model, _USUAL)
        if dimensions > max(_DIMENSIONS.values()):
            message = f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to 3072."
            raise ProviderError(400, "invalid_value", message, param="dimensions")
        return Question(
            model=model,
            prompt_tokens=sum(max(1, count_tokens(len(text))) for text in inputs),
            inputs=inputs,
            dimensions=dimensions,
            base64=field(data, "encoding_format", str) == "base64",
        )

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:  # noqa: ARG002 - it has no text
        question = meta.question
        model = encode_basestring_ascii(question.model)
        data = []
        for index, given in enumerate(question.inputs):
            values = vector(question.model, given, question.dimensions)
            if question.base64:
                embedding = f'"{base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()}"'
            else:
                embedding = f"[{','.join(f'{value:.8f}' for value in values)}]"
            data.append(f'{{"object":"embedding","index":{index},"embedding":{embedding}}}')
        tokens = f'{{"prompt_tokens":{question.prompt_tokens},"total_tokens":{question.prompt_tokens}}}'
        return f'{{"object":"list","data":[{",".join(data)}],"model":{model},"usage":{tokens}}}'.encode()

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        raise NotImplementedError(f"{meta.question.model} gives no events")

    def reader(self, streamed: bool) -> Reader:  # noqa: ARG002 - never
        """Of the list; its first vector stands for the text of other answers."""
        return WholeReader(text_of=lambda answer: str(answer["data"][0]["embedding"]))


def vector(model: str, text: str, dimensions: int) -> list[float]:
    """Its embedding: a point on the unit sphere."""
    rng = random.Random(f"{model}/{text}")
    values = [rng.random() - 0.5 for _ in range(dimensions)]
    norm = math.sqrt(math.fsum(value * value for value in values)) or 1.0
    return [value / norm for value in values]


def _inputs(given: object) -> tuple[str, ...]:
    """The texts of `input`: one, or an array of them. An array of token numbers stands for a text."""
    inputs = given if isinstance(given, list) and given and type(given[0]) is not int else [given]
    texts: list[str] = []
    for each in inputs[: _MOST_INPUTS + 1]:
        if isinstance(each, str):
            texts.append(each)
        elif isinstance(each, list) and each and all(type(number) is int for number in each):
            texts.append(" ".join(map(str, each)))
    if len(texts) != len(inputs) or len(texts) > _MOST_INPUTS:
        message = "'$.input' is invalid. Please check the API reference."
        raise ProviderError(400, "invalid_value", message, param="input")
    return tuple(texts)
