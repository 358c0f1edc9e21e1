"""Anthropic's models: their names, and the lists of `GET /v1/models`."""

import json
from collections.abc import Sequence

MODELS = {
    "claude-opus-5-5": "Claude Opus 5.5", "claude-sonnet-5-5": "Claude Sonnet 5.5",
    "claude-haiku-5-5": "Claude Haiku 5.5", "claude-mockbot": "mockbot",
}  # fmt: skip
_CREATED = "2025-01-01T00:00:00Z"


def listed(names: Sequence[str]) -> bytes:
    """The list of these models."""
    first, last = (names[0], names[-1]) if names else (None, None)
    models = {"data": [_entry(name) for name in names], "has_more": False, "first_id": first, "last_id": last}
    return json.dumps(models).encode()


def one(model: str) -> bytes:
    """One model."""
    return json.dumps(_entry(model)).encode()


def _entry(model: str) -> dict[str, object]:
    return {"type": "model", "id": model, "display_name": MODELS.get(model, model), "created_at": _CREATED}
