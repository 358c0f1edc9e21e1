"""Anthropic's error answers: (status, code) in, their body out. Sources: incidents_and_clients.md §4.3 (docs, SDK,
captures).
"""

import json
from typing import NamedTuple

from mockbot.dialects.dialect import ProviderError, Reason

NOT_JSON = "The request body is not valid JSON: expected a JSON object"


class Row(NamedTuple):
    """One known error."""

    status: int
    type: str
    message: str


ROWS = (
    Row(400, "invalid_request_error", "invalid request"),
    Row(401, "authentication_error", "invalid x-api-key"),
    Row(402, "billing_error", "Your credit balance is too low to access the Anthropic API."),
    Row(403, "permission_error", "Your API key does not have permission to use the specified resource."),
    Row(404, "not_found_error", "Not found"),
    Row(405, "invalid_request_error", "Method Not Allowed"),
    Row(408, "timeout_error", "Request timed out"),
    Row(409, "conflict_error", "The resource was changed by another request"),
    Row(413, "request_too_large", "Request exceeds the maximum size"),
    Row(429, "rate_limit_error", "This request would exceed your organization's rate limit. Please try again later."),
    Row(500, "api_error", "Internal server error"),
    Row(503, "api_error", "The service is temporarily unavailable"),
    Row(504, "timeout_error", "Request timed out"),
    Row(529, "overloaded_error", "Overloaded"),
)
_RETRIED = (408, 409, 429, 500, 503, 504, 529)


def row_of(status: int) -> Row:
    """What a status says; an honest general one for those that Anthropic does not document."""
    found = next((row for row in ROWS if row.status == status), None)
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return found or Row(status, kind, f"Error code: {status}")


def body(error: ProviderError, request_id: str) -> bytes:
    """The JSON body. A code names another type than the status's own."""
    row = row_of(error.status)
    known = {each.type for each in ROWS}
    kind = error.code if error.code in known else row.type
    described = {"type": kind, "message": error.message or row.message}
    return json.dumps({"type": "error", "error": described, "request_id": request_id}).encode()


def event(code: str) -> bytes:
    """The error event within a stream, as captured."""
    row = next((row for row in ROWS if row.type == code), row_of(500))
    error = {"details": None, "type": code if row.type == code else "api_error", "message": row.message}
    return b"event: error\ndata: " + json.dumps({"type": "error", "error": error}).encode() + b"\n\n"


def should_retry(status: int) -> bool:
    """What x-should-retry says."""
    return status in _RETRIED


def refusal(reason: Reason, retry_after: float | None) -> ProviderError:
    """Limits are 429 with the wait; a lack of capacity is 529, which carries none unless the scenario tells one."""
    if reason in ("rate_limited", "token_limited", "too_large"):
        return ProviderError(429, "rate_limit_error", retry_after=retry_after)
    return ProviderError(529, "overloaded_error", retry_after=retry_after)
