"""OpenAI's error bodies: (status, code) in, JSON out. Sources: incidents_and_clients.md §4.1 (spec and captures).

Every body is `{"error": {"message", "type", "param", "code"}}` except where a capture shows otherwise. The first row
of a status is its default, for an error without a code.
"""

import json
import math
from functools import lru_cache
from typing import NamedTuple

from mockbot.dialects.dialect import ProviderError

NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)"
)
_TOO_LONG = "This model's maximum context length is 128000 tokens. Please reduce the length of the messages."
_WRONG_KEY = "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
_LIMITS = "Visit https://platform.openai.com/account/rate-limits to learn more."
_SLOW_DOWN = (
    "Your request rate has grown too quickly. Please reduce your request rate to its original level, maintain a "
    "consistent rate for at least 15 minutes, and then gradually increase it."
)
_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_NO_MODEL = "The model does not exist or you do not have access to it."
_SORRY = "The server had an error while processing your request. Sorry about that!"
_OVERLOADED = "Our servers are currently overloaded. Please try again later."
_MAINTENANCE = "The service is down for scheduled maintenance. Please try again later."
_UNAVAILABLE = "service_unavailable_error"
_INVALID = "invalid_request_error"
_OUT_OF_MONEY = "insufficient_quota"
_WRONG_COUNTRY = "Country, region, or territory not supported"


class Row(NamedTuple):
    """One documented error; `code` picks it, and is an integer where captures show one."""

    status: int
    code: str | int | None
    type: str
    message: str


ROWS = (
    Row(400, None, _INVALID, NOT_JSON),
    Row(400, "missing_required_parameter", _INVALID, "Missing required parameter."),
    Row(400, "invalid_type", _INVALID, "Invalid type."),
    Row(400, "integer_below_min_value", _INVALID, "Integer below minimum value."),
    Row(400, "invalid_value", _INVALID, "Invalid value."),
    Row(400, "context_length_exceeded", _INVALID, _TOO_LONG),
    Row(401, "invalid_api_key", _INVALID, _WRONG_KEY),
    Row(403, "unsupported_country_region_territory", "request_forbidden", _WRONG_COUNTRY),
    Row(404, "model_not_found", _INVALID, _NO_MODEL),
    Row(404, "unknown_url", _INVALID, "Invalid URL"),
    Row(405, "method_not_supported", _INVALID, "Not allowed."),
    Row(408, None, "timeout", "Request timed out."),
    Row(409, None, "conflict_error", "The resource was updated by another request. Please try again."),
    Row(413, None, _INVALID, "Request too large."),
    Row(429, "rate_limit_exceeded", "requests", f"Rate limit reached for requests. {_LIMITS}"),
    Row(429, "token_limit_exceeded", "tokens", f"Rate limit reached on tokens per min (TPM). {_LIMITS}"),
    Row(429, "slow_down", "rate_limit_error", _SLOW_DOWN),
    Row(429, "insufficient_quota", _OUT_OF_MONEY, _QUOTA),
    Row(429, "credit_balance_exhausted", _OUT_OF_MONEY, _QUOTA),
    Row(429, "organization_spend_limit_exceeded", _OUT_OF_MONEY, "Your organization has reached its spend limit."),
    Row(429, "project_spend_limit_exceeded", _OUT_OF_MONEY, "Your project has reached its spend limit."),
    Row(429, "organization_usage_limit_exceeded", _OUT_OF_MONEY, "Your organization has reached its usage limit."),
    Row(500, None, "server_error", _SORRY),
    Row(502, 502, "cf_bad_gateway", "Bad gateway."),
    Row(503, "server_is_overloaded", _UNAVAILABLE, _OVERLOADED),
    Row(503, "engine_overloaded", "server_error", "The engine is currently overloaded, please try again later"),
    Row(503, "cf_service_unavailable", "cf_service_unavailable", "Service Unavailable."),
    Row(503, "maintenance", _UNAVAILABLE, _MAINTENANCE),
)

# Of a 429 that does not pass by waiting: OpenAI's error guide says to buy credits or to raise the limit.
HOPELESS = frozenset(str(row.code) for row in ROWS if row.type == _OUT_OF_MONEY)

# On the wire these codes differ from their names in a scenario.
_WIRE_CODES: dict[str, str | int | None] = {
    "unknown_url": None,
    "method_not_supported": None,
    "token_limit_exceeded": "rate_limit_exceeded",
    "engine_overloaded": None,
    "cf_service_unavailable": 503,
    "maintenance": "service_unavailable",
}
_LOAD_SHED = b'{"status":"come back later"}'  # 429 of 8 November 2023: no error object at all


def row_of(status: int, code: str | None) -> Row:
    """The row of status and code, else the status's first with this code, else a general one."""
    kind = "server_error" if status >= 500 else _INVALID
    rows = [row for row in ROWS if row.status == status] or [Row(status, None, kind, f"Error code: {status}")]
    if code is None:
        return rows[0]
    return next((row for row in rows if str(row.code) == code), rows[0]._replace(code=code))


def body(error: ProviderError) -> bytes:
    """The JSON body."""
    if error.status == 429 and error.code == "come_back_later":
        return _LOAD_SHED
    message = error.message or (_over_limit(error) if error.allowances else None)
    return _written(error.status, error.code, message, error.param)


@lru_cache(maxsize=1000)  # a retry storm gets the same few bodies again and again
def _written(status: int, code: str | None, message: str | None, param: str | None) -> bytes:
    row = row_of(status, code)
    wire_code = _WIRE_CODES.get(str(row.code), row.code)
    error = {"message": message or row.message, "type": row.type, "param": param, "code": wire_code}
    return json.dumps({"error": error}).encode()


def _over_limit(error: ProviderError) -> str | None:
    """OpenAI's sentence with the figures, verbatim except for the organization."""
    over = next((allowance for allowance in error.allowances if allowance.wait), None)
    if over is None:
        return None
    what = f"{over.unit} per min ({'TPM' if over.unit == 'tokens' else 'RPM'})"
    figures = f"on {what}: Limit {over.limit}, "
    if over.never:
        must = f"Requested {over.cost}. The input or output tokens must be reduced in order to run successfully."
        return f"Request too large for {error.model} in organization org-mockbot {figures}{must} {_LIMITS}"
    seconds = over.wait / error.speed
    millis = math.ceil(seconds * 1000)
    wait = f"{millis}ms" if seconds < 1 else f"{millis / 1000:g}s"
    figures += f"Used {over.limit - over.remaining}, Requested {over.cost}. Please try again in {wait}. {_LIMITS}"
    return f"Rate limit reached for {error.model} in organization org-mockbot {figures}"


def event(code: str) -> dict[str, object]:
    """The error object of a stream that fails: the row of that code, else a server error of that name."""
    row = next((row for row in ROWS if str(row.code) == code), row_of(500, code))
    return {"message": row.message, "type": row.type, "param": None, "code": row.code}
