"""The table of providers that speak OpenAI's API, and where each differs from it.

Sources, beside the providers' references; fields with no source are OpenAI's, which is *assumed*:

    xai         docs.x.ai/docs/api-reference; 400 for a wrong key: github.com/continuedev/continue/issues/10161; 429:
                .../issues/10373; `code`: github.com/nocmt/LLMSearchPlus/issues/2 (gRPC's words, so that those of other
                statuses are *assumed*); 200 with an error in it: github.com/vercel/ai, packages/xai
    groq        console.groq.com/docs/errors (498: flex tier) and .../rate-limits; github.com/Aider-AI/aider/issues/3265
    mistral     github.com/raycast/extensions/issues/31107 (429), github.com/continuedev/continue/issues/6185 (no
                capacity), github.com/coolcline/CoolCline/issues/36 (401)
    deepseek    api-docs.deepseek.com/quick_start/error_codes and .../rate_limit (": keep-alive")
    openrouter  openrouter.ai/docs/api/reference/errors-and-debugging (200 with an error) and .../streaming (comments)
    ollama      github.com/ollama/ollama: docs/openai.md, openai/openai.go (NewError), server/sched.go (busy)

The variables: LiteLLM reads *_API_BASE, groq-python GROQ_BASE_URL (without its path), pydantic-ai OLLAMA_BASE_URL,
langchain-mistralai MISTRAL_BASE_URL. OLLAMA_HOST leads to Ollama's own API, which is not served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mockbot.dialects.compatible.compatible_errors import (
    Described,
    flat,
    mistrals,
    nested,
    openais_event,
    openrouters,
    openrouters_event,
    without_code,
)
from mockbot.dialects.dialect import AnswerMetadata, Json


class Words(NamedTuple):
    """What an error of one status says."""

    message: str
    type: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A row of the table.

    `bases`: the paths before those of endpoints; the crowd asks the first. `urls`: variables, and what follows a base
    URL in each; `key`: the variable of the API key. `errors`: those that it words itself, by status. `busy`,
    `no_model` and `failed_within`: the statuses of a lack of capacity, of an unknown model, and of a plain answer that
    turns out to be an error. `ignored`: parameters of its own, which mockbot reports.
    """

    name: str
    hosts: tuple[str, ...]
    bases: tuple[str, ...]
    endpoints: tuple[str, ...]
    models: tuple[str, ...]
    urls: Mapping[str, str]
    key: str
    written: Callable[[Described], Json]
    errors: Mapping[int, Words]
    no_such_model: str  # with {model}
    event: Callable[[AnswerMetadata, str], Json] = openais_event  # an error within a stream
    request_id: bytes = b"x-request-id"  # the header that names a request
    limits: bool = False  # it sends OpenAI's headers about them
    keepalive: bytes = b": keepalive\n\n"
    busy: int = 503
    no_model: int = 404
    failed_within: int = 500
    ignored: tuple[str, ...] = ()


_CHAT, _RESPONSES, _EMBEDDINGS, _COMPLETIONS = "chat/completions", "responses", "embeddings", "completions"

PROVIDERS = (
    Provider(
        name="xai",
        hosts=("api.x.ai",),
        bases=("/v1",),
        endpoints=(_CHAT, _RESPONSES, _COMPLETIONS),
        models=("grok-4", "grok-4-fast", "grok-3", "grok-3-mini", "grok-code-fast-1"),
        urls={"XAI_API_BASE": "/v1"},
        key="XAI_API_KEY",
        written=flat,
        errors={
            400: Words("Invalid request.", code="Client specified an invalid argument"),
            401: Words("No credentials provided", code="The request does not have valid authentication credentials"),
            403: Words("Forbidden", code="The caller does not have permission to execute the specified operation"),
            404: Words("Not found", code="Some requested entity was not found"),
            429: Words("Too many requests. Please try again later.", code="Some resource has been exhausted"),
            500: Words("Internal error", code="Internal error"),
            503: Words("The model is at capacity. Try again later.", code="The service is currently unavailable"),
            200: Words("Timed out waiting for first token", code="The service is currently unavailable"),
        },
        no_such_model="The model {model} does not exist or your team does not have access to it.",
        limits=True,
        failed_within=200,
        ignored=("deferred", "search_parameters"),
    ),
    Provider(
        name="groq",
        hosts=("api.groq.com",),
        bases=("/openai/v1",),
        endpoints=(_CHAT, _RESPONSES),
        models=("llama-3.3-70b-versatile", "llama-3.1-8b-instant", "openai/gpt-oss-120b", "openai/gpt-oss-20b"),
        urls={"GROQ_BASE_URL": "", "GROQ_API_BASE": "/openai/v1"},
        key="GROQ_API_KEY",
        written=without_code,
        errors={
            401: Words("Invalid API Key", "invalid_request_error", "invalid_api_key"),
            429: Words("Rate limit reached for model. Please try again later.", "tokens", "rate_limit_exceeded"),
            498: Words("Flex tier capacity exceeded.", "invalid_request_error", "capacity_exceeded"),
            503: Words("Service Unavailable", "internal_server_error"),
        },
        no_such_model="The model `{model}` does not exist or you do not have access to it.",
        limits=True,
        ignored=("citation_options", "include_reasoning", "reasoning_format"),
    ),
    Provider(
        name="mistral",
        hosts=("api.mistral.ai",),
        bases=("/v1",),
        endpoints=(_CHAT, _EMBEDDINGS),
        models=("mistral-large-latest", "mistral-medium-latest", "mistral-small-latest", "mistral-embed"),
        urls={"MISTRAL_API_BASE": "/v1", "MISTRAL_BASE_URL": "/v1"},
        key="MISTRAL_API_KEY",
        written=mistrals,
        errors={
            400: Words("Invalid request.", "invalid_request_error"),
            429: Words("Rate limit exceeded", "rate_limited", "1300"),
            500: Words("Internal server error", "internal_server_error"),
            503: Words("Service tier capacity exceeded for this model.", "invalid_request_error"),
        },
        no_such_model="Invalid model: {model}",
        request_id=b"mistral-correlation-id",
        busy=429,
        no_model=400,
        ignored=("prompt_mode", "random_seed", "safe_prompt"),
    ),
    Provider(
        name="deepseek",
        hosts=("api.deepseek.com",),
        bases=("/v1", ""),
        endpoints=(_CHAT,),
        models=("deepseek-chat", "deepseek-reasoner"),
        urls={"DEEPSEEK_API_BASE": "/v1"},
        key="DEEPSEEK_API_KEY",
        written=nested,
        errors={
            401: Words("Authentication Fails (governor)", "authentication_error", "invalid_request_error"),
            402: Words("Insufficient Balance", "unknown_error", "invalid_request_error"),
            429: Words("Rate Limit Reached", "unknown_error", "invalid_request_error"),
            503: Words(
                "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
                "service_unavailable_error",
                "service_unavailable_error",
            ),
        },
        no_such_model="Model Not Exist",
        request_id=b"x-ds-trace-id",
        keepalive=b": keep-alive\n\n",
        no_model=400,
        ignored=("thinking",),
    ),
    Provider(
        name="openrouter",
        hosts=("openrouter.ai",),
        bases=("/api/v1",),
        endpoints=(_CHAT, _COMPLETIONS, _RESPONSES, _EMBEDDINGS),
        models=("openai/gpt-5.2", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5", "x-ai/grok-4"),
        urls={"OPENROUTER_API_BASE": "/api/v1"},
        key="OPENROUTER_API_KEY",
        written=openrouters,
        errors={
            200: Words("Provider returned error"),
            401: Words("No auth credentials found"),
            402: Words("Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
            429: Words("Rate limit exceeded"),
            502: Words("Provider returned error"),
            503: Words("No available model provider that meets your routing requirements"),
        },
        no_such_model="{model} is not a valid model ID",
        event=openrouters_event,
        request_id=b"x-generation-id",
        keepalive=b": OPENROUTER PROCESSING\n\n",
        no_model=400,
        failed_within=200,
        ignored=("models", "plugins", "provider", "reasoning", "route", "transforms", "usage"),
    ),
    Provider(
        name="ollama",
        hosts=("localhost", "127.0.0.1"),
        bases=("/v1",),
        endpoints=(_CHAT, _COMPLETIONS, _EMBEDDINGS, _RESPONSES),
        models=("llama3.2:latest", "qwen3:8b", "gpt-oss:20b", "nomic-embed-text:latest"),
        urls={"OLLAMA_BASE_URL": "/v1"},
        key="OLLAMA_API_KEY",
        written=nested,
        errors={
            400: Words("invalid request", "invalid_request_error"),
            404: Words("not found", "not_found_error"),
            429: Words("too many requests", "api_error"),
            500: Words("llama runner process has terminated", "api_error"),
            503: Words("server busy, please try again.  maximum pending requests exceeded", "api_error"),
        },
        no_such_model='model "{model}" not found, try pulling it first',
        ignored=("reasoning",),
    ),
)
