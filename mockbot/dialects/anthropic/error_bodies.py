"""Anthropic's error bodies: (status, code) in, JSON out. Source: incidents_and_clients.md §4.3 (docs, captures)."""

import json
from typing import NamedTuple

from mockbot.dialects.dialect import ProviderError

NOT_JSON = "The request body is not valid JSON: expected a JSON object"
_OVER_LIMIT = "This request would exceed your organization's rate limit. Please try again later."
_OVER_LIMIT = "This request would exceed your organization's rate limit. Please try again later."


class Row(NamedTuple):
    """One documented error."""

    status: int
    type: str
    message: str
    retry: bool = False  # the value of x-should-retry


ROWS = (
    Row(400, "invalid_request_error", "invalid request"),
    Row(401, "authentication_error", "invalid x-api-key"),
    Row(402, "billing_error", "Your credit balance is too low to access the Anthropic API."),
    Row(403, "permission_error", "Your API key does not have permission to use the specified resource."),
    Row(404, "not_found_error", "Not found"),
    Row(405, "invalid_request_error", "Method Not Allowed"),
    Row(408, "timeout_error", "Request timed out", retry=True),
    Row(409, "conflict_error", "The resource was changed by another request", retry=True),
    Row(413, "request_too_large", "Request exceeds the maximum size"),
    Row(429, "rate_limit_error", _OVER_LIMIT, retry=True),
    Row(500, "api_error", "Internal server error", retry=True),
    Row(503, "api_error", "The service is temporarily unavailable", retry=True),
    Row(504, "timeout_error", "Request timed out", retry=True),
    Row(529, "overloaded_error", "Overloaded", retry=True),
)


def row_of(status: int) -> Row:
    """The row of a status; a general one for a status that Anthropic does not document."""
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return next((row for row in ROWS if row.status == status), Row(status, kind, f"Error code: {status}"))


def body(error: ProviderError, request_id: str) -> bytes:
    """The JSON body. A code that names a type replaces the type of the status."""
    row = row_of(error.status)
    kind = error.code if any(error.code == each.type for each in ROWS) else row.type
    described = {"type": kind, "message": error.message or row.message}
    return json.dumps({"type": "error", "error": described, "request_id": request_id}).encode()


def event(code: str) -> bytes:
    """The error event within a stream, as captured; an unknown type becomes `api_error`."""
    row = next((row for row in ROWS if row.type == code), row_of(500))
    error = {"details": None, "type": row.type, "message": row.message}
    return b"event: error\ndata: " + json.dumps({"type": "error", "error": error}).encode() + b"\n\n"
