"""Anthropic's API: messages, counts of tokens, models, and the bodies of its errors."""

from mockbot.dialects.anthropic import models as anthropic_models
from mockbot.dialects.anthropic.count_tokens import AnthropicCountTokens
from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.family import Family, KeyPlace

ANTHROPIC = Family(
    name="anthropic",
    dialects=(AnthropicMessages(), AnthropicCountTokens()),
    # The API refuses a request without a maximum.
    ask=lambda question, streamed: {"max_tokens": 1024, **question, "stream": streamed},
    key_places=(KeyPlace("x-api-key"), KeyPlace("Authorization", "Bearer")),
    headers={"anthropic-version": "2023-06-01"},
    retry_header="x-stainless-retry-count",
    environment=lambda url, key: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key},
    hosts=("api.anthropic.com",),
    models_path="/v1/models",
    models=tuple(anthropic_models.MODELS),
    model_list=anthropic_models.listed,
    model=anthropic_models.one,
)
