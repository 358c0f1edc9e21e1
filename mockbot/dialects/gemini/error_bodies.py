"""Google's error bodies: (status, code) in, JSON out, with the details of `google.rpc`.

Every body is `{"error": {"code": <HTTP status>, "message", "status": <name of a gRPC code>, "details": [...]}}`. Which
name has which HTTP status: github.com/googleapis/googleapis, google/rpc/code.proto; the details: error_details.proto.
The wording is that of captures: 503 github.com/google-gemini/gemini-cli/issues/7392 and
github.com/continuedev/continue/issues/10639; 429 without details issues/10560 there, with QuotaFailure and RetryInfo
github.com/diegosouzapw/OmniRoute/issues/9504, Vertex's github.com/google-gemini/gemini-cli/issues/14811; a wrong key
github.com/continuedev/continue/issues/10290. A code of a scenario is the name of a row, or a gRPC code's.
"""

import json
from functools import lru_cache
from typing import NamedTuple

from mockbot.dialects.dialect import Allowance, Json, ProviderError

INVALID = "INVALID_ARGUMENT"
_TYPE = "type.googleapis.com/google.rpc."
_LIMITS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    f"head to: {_LIMITS}. To monitor your current usage, head to: https://ai.dev/rate-limit. "
)
_VERTEX = (
    "Resource exhausted. Please try again later. Please refer to "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
)
_KEY = "API key not valid. Please pass a valid API key."
_NO_CREDENTIAL = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_DENIED = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
    "form of API consumer identity to call this API."
)
_INTERNAL = (
    "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting"
)
_OVERLOADED = "The model is overloaded. Please try again later."
_DEMAND = (
    "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later."
)
_DEADLINE = "Deadline expired before operation could complete."
_EXHAUSTED = "Resource has been exhausted (e.g. check quota)."


class Row(NamedTuple):
    """One error; `code` is its name in a scenario, `quota` the limit that its QuotaFailure names."""

    status: int
    code: str
    name: str  # of the gRPC code
    message: str
    quota: str | None = None


_PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
_PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
_TOKENS = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_"

# The first row of a status is its default.
ROWS = (
    Row(400, INVALID, INVALID, "Request contains an invalid argument."),
    Row(400, "FAILED_PRECONDITION", "FAILED_PRECONDITION", "User location is not supported for the API use."),
    Row(400, "API_KEY_INVALID", INVALID, _KEY),
    Row(401, "UNAUTHENTICATED", "UNAUTHENTICATED", _NO_CREDENTIAL),
    Row(403, "PERMISSION_DENIED", "PERMISSION_DENIED", _DENIED),
    Row(404, "NOT_FOUND", "NOT_FOUND", "Requested entity was not found."),
    Row(405, "UNIMPLEMENTED", "UNIMPLEMENTED", "Method not found."),
    Row(409, "ABORTED", "ABORTED", "The operation was aborted."),
    Row(413, INVALID, INVALID, "Request payload size exceeds the limit: 20971520 bytes."),
    Row(429, "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED", _EXHAUSTED),
    Row(429, "quota_per_minute", "RESOURCE_EXHAUSTED", _QUOTA, _PER_MINUTE),
    Row(429, "quota_per_day", "RESOURCE_EXHAUSTED", _QUOTA, _PER_DAY),
    Row(429, "vertex", "RESOURCE_EXHAUSTED", _VERTEX),
    Row(499, "CANCELLED", "CANCELLED", "The operation was cancelled."),
    Row(500, "INTERNAL", "INTERNAL", _INTERNAL),
    Row(503, "UNAVAILABLE", "UNAVAILABLE", _OVERLOADED),
    Row(503, "high_demand", "UNAVAILABLE", _DEMAND),
    Row(504, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", _DEADLINE),
)


def row_of(status: int, code: str | None) -> Row:
    """The row of status and code, else the first of the status; a general one for a status that has no row."""
    rows = [row for row in ROWS if row.status == status]
    general = Row(status, "", "UNKNOWN" if status >= 500 else INVALID, f"Error code: {status}")
    return next((row for row in rows if row.code == code), rows[0] if rows else general)


def event_row(code: str) -> Row:
    """The row of an error within a stream, which has no status of its own: an unknown code is INTERNAL."""
    return next((row for row in ROWS if row.code == code), row_of(500, None))


def body(error: ProviderError, *, vertex: bool = False) -> Json:
    """The body as an object. Over a limit of the scenario's, it names quota, limit, model and wait."""
    row = row_of(error.status, "vertex" if vertex and error.code is None and error.status == 429 else error.code)
    over = next((each for each in error.allowances if each.wait), None)
    wait = None if error.retry_after is None else error.retry_after / error.speed
    message, details = error.message or row.message, []
    if not vertex and error.status == 429 and (row.quota or over):
        quota = row.quota or (_PER_MINUTE if over and over.unit == "requests" else _TOKENS)
        metric = f"{_METRIC}{'input_token_count' if quota == _TOKENS else 'requests'}"
        message = _QUOTA + _exceeded(metric, over, error.model, wait)
        details = [_help(), _failure(metric, quota, over, error.model)]
    if error.code == "API_KEY_INVALID":
        details = [_info("API_KEY_INVALID"), {"@type": f"{_TYPE}LocalizedMessage", "locale": "en-US", "message": _KEY}]
    if error.code == "unknown_field":
        violation = {"field": error.param} if error.param else {}
        details = [{"@type": f"{_TYPE}BadRequest", "fieldViolations": [{**violation, "description": message}]}]
    if wait is not None and not vertex:
        delay = f"{max(wait, 0.001):.9f}".rstrip("0").rstrip(".")
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{delay}s"})
    described = {"code": error.status, "message": message, "status": row.name}
    return {"error": {**described, **({"details": details} if details else {})}}


@lru_cache(maxsize=1000)  # a retry storm gets the same few bodies again and again
def known(status: int, code: str | None, *, vertex: bool) -> bytes:
    """The JSON of an error without any values of its request."""
    return written(body(ProviderError(status, code), vertex=vertex))


def written(described: Json, *, array: bool = False) -> bytes:
    """As JSON over several lines, which is how Google writes it; some endpoints put it into an array."""
    return json.dumps([described] if array else described, indent=2).encode() + b"\n"


def event(code: str) -> bytes:
    """The error within a stream (github.com/diegosouzapw/OmniRoute/issues/4177)."""
    row = event_row(code)
    return json.dumps({"error": {"code": row.status, "message": row.message, "status": row.name}}).encode()


def _exceeded(metric: str, over: Allowance | None, model: str, wait: float | None) -> str:
    limit = f", limit: {over.limit}, model: {model}" if over else ""
    return f"\n* Quota exceeded for metric: {metric}{limit}" + (f"\nPlease retry in {wait:g}s." if wait else "")


def _help() -> Json:
    return {"@type": f"{_TYPE}Help", "links": [{"description": "Learn more about Gemini API quotas", "url": _LIMITS}]}


def _failure(metric: str, quota: str, over: Allowance | None, model: str) -> Json:
    dimensions = {"location": "global", **({"model": model} if model else {})}
    violation: Json = {"quotaMetric": metric, "quotaId": quota, "quotaDimensions": dimensions}
    return {
        "@type": f"{_TYPE}QuotaFailure",
        "violations": [violation | ({"quotaValue": str(over.limit)} if over else {})],
    }


def _info(reason: str) -> Json:
    metadata = {"service": "generativelanguage.googleapis.com"}
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}
