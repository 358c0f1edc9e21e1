"""Gemini's models: their names, and the lists of `GET /v1beta/models` (ai.google.dev/api/models)."""

import json
from collections.abc import Sequence

MODELS = (
    "gemini-3-pro-preview", "gemini-3-flash-preview", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite",
    "mockbot", "gemini-embedding-001", "text-embedding-005",
)  # fmt: skip
_GENERATE = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]
_EMBED = ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"]


def _entry(model: str) -> dict[str, object]:
    embeds = "embedding" in model
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": model.replace("-", " ").title(),
        "inputTokenLimit": 2048 if embeds else 1048576,
        "outputTokenLimit": 1 if embeds else 65536,
        "supportedGenerationMethods": _EMBED if embeds else _GENERATE,
    }


def listed(names: Sequence[str]) -> bytes:
    """The list of these models, on one page."""
    return json.dumps({"models": [_entry(name) for name in names]}).encode()


def one(model: str) -> bytes:
    """One model."""
    return json.dumps(_entry(model.removeprefix("models/"))).encode()


def listed_at_vertex(names: Sequence[str]) -> bytes:
    """As Vertex AI lists them (`v1beta1/publishers/google/models`)."""
    return json.dumps({"publisherModels": [{"name": f"publishers/google/models/{name}"} for name in names]}).encode()


def one_at_vertex(model: str) -> bytes:
    """One model there."""
    return json.dumps({"name": f"publishers/google/models/{model}", "versionId": "001"}).encode()


def listed_as_openai(names: Sequence[str]) -> bytes:
    """As the OpenAI-compatible endpoint lists them: the ids have a prefix (ai.google.dev/gemini-api/docs/openai)."""
    return json.dumps({"object": "list", "data": [_as_openai(name) for name in names]}).encode()


def one_as_openai(model: str) -> bytes:
    """One model there."""
    return json.dumps(_as_openai(model.removeprefix("models/"))).encode()


def _as_openai(model: str) -> dict[str, object]:
    return {"id": f"models/{model}", "object": "model", "owned_by": "google"}
