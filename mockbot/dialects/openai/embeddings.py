"""OpenAI embeddings: `POST /v1/embeddings`.

Unit vectors that depend on the text and the model only, never on the request.
"""

import base64
import math
import random
import struct
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii

from mockbot.dialects.dialect import AnswerMetadata, ProviderError, Question, Stream
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.common import OpenAIEndpoint
from mockbot.dialects.reading import at_least, count_tokens, field, json_object

_DIMENSIONS = {"text-embedding-3-large": 3072}
_USUAL = 1536
_MOST_INPUTS = 2048  # OpenAI's own limit


class OpenAIEmbeddings(OpenAIEndpoint):
    """Embeddings."""

    path = "/v1/embeddings"
    malformed = b""
    schema: Mapping[str, object] = {
        "type": "object",
        "required": ["model", "input"],
        "properties": {
            "model": {"type": "string", "examples": ["text-embedding-3-small"]},
            "input": {"type": ["string", "array"], "items": {}, "minItems": 1},
            "dimensions": {"type": ["integer", "null"], "minimum": 1, "maximum": 3072},
            "encoding_format": {"enum": ["float", "base64", None]},
        },
    }

    def read(self, body: bytes) -> Question:
        """A question from a request's body; ProviderError(400) when it is none, (404) for a model that nobody has."""
        data = json_object(body, openai_errors.NOT_JSON)
        model = openai_models.known(data)
        inputs = _inputs(data.get("input"))
        wish = at_least(data, "dimensions", 1)
        dimensions = _DIMENSIONS.get(model, _USUAL) if wish is None else wish
        if dimensions > max(_DIMENSIONS.values()):
            message = f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to 3072."
            raise ProviderError(400, "invalid_value", message, param="dimensions")
        return Question(
            model=model,
            prompt_tokens=sum(map(count_tokens, inputs)),
            inputs=inputs,
            dimensions=dimensions,
            base64=field(data, "encoding_format", str) == "base64",
        )

    def whole(self, meta: AnswerMetadata, text: str) -> bytes:  # noqa: ARG002 - there are no words here
        """The list of embeddings."""
        question = meta.question
        model = encode_basestring_ascii(question.model)
        vectors = (vector(question.model, given, question.dimensions) for given in question.inputs)
        data = ",".join(
            f'{{"object":"embedding","index":{index},"embedding":{_written(values, question.base64)}}}'
            for index, values in enumerate(vectors)
        )
        tokens = f'{{"prompt_tokens":{question.prompt_tokens},"total_tokens":{question.prompt_tokens}}}'
        return f'{{"object":"list","data":[{data}],"model":{model},"usage":{tokens}}}'.encode()

    def stream(self, meta: AnswerMetadata) -> Stream:
        """Embeddings are never streamed."""
        raise NotImplementedError(f"{meta.question.model} gives no events")


def vector(model: str, text: str, dimensions: int) -> list[float]:
    """Its embedding: a point on the unit sphere."""
    rng = random.Random(f"{model}/{text}")
    values = [rng.random() - 0.5 for _ in range(dimensions)]
    norm = math.sqrt(math.fsum(value * value for value in values)) or 1.0
    return [value / norm for value in values]


def _written(values: list[float], as_base64: bool) -> str:
    if as_base64:
        packed = struct.pack(f"<{len(values)}f", *values)
        return f'"{base64.b64encode(packed).decode()}"'
    return f"[{','.join(f'{value:.8f}' for value in values)}]"


def _inputs(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and given and all(type(each) is int for each in given):
        return (" ".join(map(str, given)),)
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_INPUTS:
        raise ProviderError(
            400, "invalid_value", "'$.input' is invalid. Please check the API reference.", param="input"
        )
    return tuple(_input(each) for each in given)


def _input(given: object) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given and all(type(each) is int for each in given):
        return " ".join(map(str, given))
    raise ProviderError(400, "invalid_value", "'$.input' is invalid. Please check the API reference.", param="input")
