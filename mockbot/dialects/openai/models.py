"""OpenAI's models: their names, the lists of `GET /v1/models`, and the error for a name that is not served."""

import json
from collections.abc import Sequence

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.openai.request_fields import field

MODELS = (
    "gpt-5.2", "gpt-5-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "o3", "o4-mini", "mockbot",
    "text-embedding-3-small", "text-embedding-3-large",
)  # fmt: skip
_CREATED = 1735689600


def named(data: Json, default: str | None = None) -> str:
    """The model that a request names, else the default one, or ProviderError(400) as OpenAI words it."""
    if data.get("model") is None:
        if default is not None:
            return default
        raise ProviderError(400, "missing_model", "you must provide a model parameter")
    model: str = field(data, "model", str)
    return model


def unknown(model: str) -> ProviderError:
    """OpenAI's error for a model that there is not."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return ProviderError(404, "model_not_found", message, unknown_model=model)


def _entry(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "mockbot"}


def listed(models: Sequence[str]) -> bytes:
    """The list of these."""
    return json.dumps({"object": "list", "data": [_entry(model) for model in models]}).encode()


def one(model: str) -> bytes:
    """One model."""
    return json.dumps(_entry(model)).encode()
