"""What Gemini's endpoints have in common: the model in the path, headers, and errors.

The paths are those of ai.google.dev/api (v1beta, v1) and, for Vertex AI,
cloud.google.com/vertex-ai/generative-ai/docs/reference/rest (v1, v1beta1). A key comes in `x-goog-api-key` or `?key=`,
at Vertex AI an access token in `Authorization: Bearer`. No header names the request: the answer's `responseId` does.
"""

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import (
    Allowance,
    AnswerMetadata,
    Header,
    Json,
    ProviderError,
    Question,
    Reason,
    Stream,
)
from mockbot.dialects.gemini import error_bodies as gemini_errors
from mockbot.dialects.gemini.models import MODELS
from mockbot.dialects.openapi import RESPONSES
from mockbot.dialects.reading import json_object

NOT_JSON = "Invalid JSON payload received. Expected an object."


def gemini_paths(method: str) -> tuple[str, tuple[str, ...]]:
    """The path of a method, and those of its other versions."""
    return f"/v1beta/models/{{model}}:{method}", tuple(f"/{v}/models/{{model}}:{method}" for v in ("v1", "v1alpha"))


def vertex_paths(method: str) -> tuple[str, tuple[str, ...]]:
    """The same at Vertex AI: within a project, and for a key without one (express mode)."""
    within = "/{version}/projects/{{project}}/locations/{{location}}/publishers/google/models/{{model}}:{method}"
    alone = "/{version}/publishers/google/models/{{model}}:{method}"
    paths = [shape.format(version=v, method=method) for shape in (within, alone) for v in ("v1", "v1beta1")]
    return paths[0], tuple(paths[1:])


class GeminiEndpoint:
    """Model, headers and errors, the same at every endpoint."""

    path: str
    also: tuple[str, ...]
    vertex = False
    responses = RESPONSES
    largest_body = 20 * 2**20  # ai.google.dev/gemini-api/docs/files: what is larger goes by the Files API
    # A blank line is neither an event nor JSON; google-genai cannot read comments, which Google does not send.
    keepalive = b"\r\n"
    malformed = b'data: {"candidates": [{"content\r\n\r\n'

    def read(self, body: bytes) -> Question:
        """As if the path named the first model."""
        return self.read_for(MODELS[0], body, b"")

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:  # noqa: ARG002 - streams look at it
        return self.question(json_object(body, NOT_JSON), model)

    def question(self, data: Json, model: str) -> Question:
        """The question in a request's body; ProviderError(400) for an invalid one."""
        raise NotImplementedError

    def unknown_model(self, model: str) -> ProviderError:
        """github.com/wwardaww/gnome-gemini-ai/issues/21; Vertex AI's names the resource."""
        method = self.path.rpartition(":")[2]
        known = "Call ListModels to see the list of available models and their supported methods."
        message = f"models/{model} is not found for API version v1beta, or is not supported for {method}. {known}"
        if self.vertex:
            publisher = f"Publisher Model `publishers/google/models/{model}`"
            message = f"{publisher} was not found or your project does not have access to it."
        return ProviderError(404, None, message, unknown_model=model)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:  # noqa: ARG002
        """How long it took; nothing of the key's limits."""
        return [(b"server-timing", b"gfet4t7; dur=%d" % millis), (b"x-content-type-options", b"nosniff")]

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Limits are 429, a lack of capacity is 503."""
        status = 429 if reason in ("rate_limited", "token_limited", "too_large") else 503
        return ProviderError(status, None, retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - it has no id
        plain = error.message is None and error.retry_after is None and not error.allowances
        if plain and error.param is None:
            return gemini_errors.known(error.status, error.code, vertex=self.vertex)
        return gemini_errors.written(gemini_errors.body(error, vertex=self.vertex))

    def error_headers(self, error: ProviderError) -> list[Header]:  # noqa: ARG002 - none
        return []

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        raise NotImplementedError(f"{meta.question.model} gives no events here")
