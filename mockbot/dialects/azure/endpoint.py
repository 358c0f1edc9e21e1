"""What Azure's endpoints have in common: the deployment in the path, headers, and refusals.

Headers as captured: github.com/EvolvingPrograms/oaib/issues/11 (an answer), github.com/openai/openai-python/issues/937
(a refusal), github.com/openai/openai-dotnet/issues/838 (resets are whole seconds). `retry-after-ms` stands beside
Retry-After: learn.microsoft.com/azure/ai-foundry/openai/how-to/quota. A lack of capacity is a 429, too:
github.com/pollinations/pollinations/issues/6260.
"""

from urllib.parse import parse_qs

from mockbot.dialects.azure import error_bodies as azure_errors
from mockbot.dialects.dialect import Allowance, Header, ProviderError, Question, Reason
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openapi import Schema
from mockbot.dialects.retry_after import retry_headers, whole_seconds

API_VERSION = "2024-10-21"  # the latest one that is generally available and dated; /openai/v1 needs none
_REGION = (b"x-ms-region", b"East US")
_LIMIT_HEADERS = {
    unit: tuple(f"x-ratelimit-{what}-{unit}".encode() for what in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}


class AzureEndpoint(OpenAIEndpoint):
    """Headers and errors, the same at every endpoint of Azure's; before OpenAI's class of the endpoint in the bases."""

    operation: str  # as Azure's messages name it

    def unknown_model(self, model: str) -> ProviderError:
        return ProviderError(404, "DeploymentNotFound", unknown_model=model)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:  # noqa: ARG002 - Azure tells no time
        """Two ids, the region, and the true state of the key's limits when it has any."""
        headers = [(b"apim-request-id", _uuid(mark)), (b"x-request-id", _uuid(mark ^ 0x9E3779B97F4A7C15)), _REGION]
        for unit, limit, remaining, reset, *_ in allowances:
            values = (b"%d" % limit, b"%d" % remaining, b"%d" % whole_seconds(reset / speed))
            headers += zip(_LIMIT_HEADERS[unit], values, strict=True)
        return headers

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """429 for whatever it cannot take in."""
        code = {"rate_limited": "429", "token_limited": "tokens", "too_large": "tokens"}.get(reason, "NoCapacity")
        return ProviderError(429, code, retry_after=None if reason == "too_large" else retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002
        return azure_errors.body(error, self.operation, API_VERSION)

    def error_headers(self, error: ProviderError) -> list[Header]:
        """The exact wait, which compressed time brings along anyway."""
        if error.speed != 1 or error.wait_form != "seconds":
            return []
        return retry_headers(error.retry_after, 1.0, "ms", 0.0)


class Deployed(AzureEndpoint):
    """An endpoint below a deployment, whose name stands for a model's; a model in the body counts nothing."""

    also: tuple[str, ...] = ()

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:
        """Without an api-version there is no such resource: github.com/MicrosoftDocs/azure-docs/issues/114602."""
        if not parse_qs(query.decode("latin-1")).get("api-version"):
            raise ProviderError(404, "404")
        return self.read(body, model)


def without_model(schema: Schema) -> Schema:
    """The schema of a body that need not name its model."""
    required = schema["required"]
    assert isinstance(required, list)  # noqa: S101 - for mypy
    return {**schema, "required": [name for name in required if name != "model"]}


def _uuid(mark: int) -> bytes:
    digits = f"{mark:016x}{mark ^ 0x9E3779B97F4A7C15:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])).encode()
