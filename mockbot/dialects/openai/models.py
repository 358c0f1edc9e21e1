"""OpenAI's models: which names are served, and the lists of `GET /v1/models`."""

import json

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.openai.request_fields import field

MODELS = (
    "gpt-5.2", "gpt-5-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "o3", "o4-mini", "mockbot",
    "text-embedding-3-small", "text-embedding-3-large",
)  # fmt: skip
_FAMILIES = (  # any member of these is served
    "gpt-", "o1", "o3", "o4", "chatgpt-", "text-embedding-", "omni-moderation-", "text-moderation-", "davinci-002",
    "babbage-002", "mockbot",
)  # fmt: skip
_CREATED = 1735689600


def known(data: Json, default: str | None = None) -> str:
    """The model that a request names, or ProviderError as OpenAI words it."""
    if data.get("model") is None:
        if default is not None:
            return default
        raise ProviderError(400, "missing_model", "you must provide a model parameter")
    model: str = field(data, "model", str)
    return _served(model)


def _served(model: str) -> str:
    if not model.startswith(_FAMILIES):
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise ProviderError(404, "model_not_found", message, unknown_model=model)
    return model


def _entry(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "mockbot"}


def listed() -> bytes:
    """The whole list."""
    return json.dumps({"object": "list", "data": [_entry(model) for model in MODELS]}).encode()


def one(model: str) -> bytes:
    """One model; ProviderError(404) for an unknown name."""
    return json.dumps(_entry(_served(model))).encode()
