"""What OpenAI's endpoints have in common: the body's JSON and model, headers, and errors."""

from mockbot.dialects.dialect import Allowance, AnswerMetadata, Header, Json, ProviderError, Question, Reason
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.request_fields import field
from mockbot.dialects.openapi import RESPONSES
from mockbot.dialects.reading import json_object

_ORGANIZATION = (b"openai-organization", b"mockbot")
_VERSION = (b"openai-version", b"2020-10-01")
_LIMIT_HEADERS = {
    unit: tuple(f"x-ratelimit-{what}-{unit}".encode() for what in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}


class OpenAIEndpoint:
    """Model, headers and errors, the same at every endpoint of OpenAI's."""

    responses = RESPONSES
    largest_body = 50 * 2**20  # guide "Images and vision": up to 50 MB total payload size per request
    keepalive = b": keepalive\n\n"
    default_model: str | None = None  # of a request that names none

    def read(self, body: bytes) -> Question:
        data = json_object(body, openai_errors.NOT_JSON)
        return self.question(data, openai_models.named(data, self.default_model))

    def unknown_model(self, model: str) -> ProviderError:
        return openai_models.unknown(model)

    def question(self, data: Json, model: str) -> Question:
        """The question in a request's body; ProviderError(400) for an invalid one."""
        raise NotImplementedError

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        """Request id, time, version, and the true state of the key's limits when it has any."""
        headers = [
            (b"x-request-id", b"req_%016x%016x" % (mark, mark ^ 0x9E3779B97F4A7C15)),
            (b"openai-processing-ms", b"%d" % millis),
            _VERSION,
            _ORGANIZATION,
        ]
        for unit, limit, remaining, reset, *_ in allowances:
            names = _LIMIT_HEADERS[unit]
            headers += zip(names, (b"%d" % limit, b"%d" % remaining, duration(reset / speed)), strict=True)
        return headers

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Limits are 429, without a wait for what no wait can help; a lack of capacity is 503."""
        match reason:
            case "rate_limited":
                return ProviderError(429, "rate_limit_exceeded", retry_after=retry_after)
            case "token_limited":
                return ProviderError(429, "token_limit_exceeded", retry_after=retry_after)
            case "too_large":
                return ProviderError(429, "token_limit_exceeded")
        return ProviderError(503, "server_is_overloaded", retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - other dialects name the request in it
        return openai_errors.body(error)

    def error_headers(self, error: ProviderError) -> list[Header]:  # noqa: ARG002 - the same for all
        return []  # whether OpenAI sends x-should-retry is not known


def duration(seconds: float) -> bytes:
    """As in OpenAI's reset headers: 12ms, 1.5s, 6m0s, 2m52.8s, 1h0m0s."""
    if seconds < 1:
        return b"%dms" % round(seconds * 1000)
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours or minutes:
        text = f"{int(minutes)}m{text}"
    return (f"{int(hours)}h{text}" if hours else text).encode()


def service_tier(data: Json) -> str:
    """The tier that answers: the one that the request asks for; `auto` is the default one."""
    tier = field(data, "service_tier", str)
    return "default" if tier in (None, "auto") else str(tier)


def cached_tokens(meta: AnswerMetadata) -> int:
    """Of a prompt: a cache hit is a multiple of 128 tokens (platform.openai.com, prompt caching)."""
    return meta.cache.read // 128 * 128
