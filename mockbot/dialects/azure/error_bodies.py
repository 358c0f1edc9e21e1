"""Azure OpenAI's error bodies: (status, code) in, JSON out. What Azure does not word itself is OpenAI's body.

The front end's errors are `{"error": {"code", "message"}}`. As captured:

    401   github.com/SciSharp/BotSharp/issues/386; PermissionDenied (Entra): github.com/microsoft/PromptWizard/issues/18
    403   github.com/BerriAI/litellm/issues/21814 (the message; its code is assumed)
    404   github.com/chatboxai/chatbox/issues/646; without an api-version, or anywhere else: .../deepchat/issues/262
    408   github.com/langgenius/dify-official-plugins/issues/2199
    429   github.com/jasonacox/TinyLLM/issues/17; NoCapacity: github.com/pollinations/pollinations/issues/6260 (the
          message; its code is assumed)
    500   OpenAI's: github.com/Azure-Samples/azure-search-openai-demo/issues/1390
    503   assumed
    content_filter   learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

import json
import math
from collections.abc import Mapping
from typing import NamedTuple

from mockbot.dialects.azure.content_filter import FLAGGED
from mockbot.dialects.dialect import ProviderError
from mockbot.dialects.openai import error_bodies as openai_errors

_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)
_OVER_LIMIT = (
    "Requests to the {operation} Operation under Azure OpenAI API version {version} have exceeded {limit} rate limit "
    "of your current OpenAI S0 pricing tier.{wait} Please go here: https://aka.ms/oai/quotaincrease if you would like"
    " to further increase the default rate limit."
)
_NO_CAPACITY = (
    "The system is currently experiencing high demand and cannot process your request. Your request exceeds the "
    "maximum usage size allowed during peak load.{wait} For improved capacity reliability, consider switching to "
    "Provisioned Throughput."
)
_UNAVAILABLE = "The service is temporarily unable to process your request. Please try again later."
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
    "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
    "https://go.microsoft.com/fwlink/?linkid=2198766"
)


class Row(NamedTuple):
    """One error of Azure's own; `code` picks it, and is what stands on the wire unless `wire` says otherwise."""

    status: int
    code: str
    message: str
    wire: str | None = None


ROWS = (
    Row(400, "OperationNotSupported", "The completion operation does not work with the specified model."),
    Row(401, "401", _WRONG_KEY),
    Row(401, "PermissionDenied", "Principal does not have access to API/Operation."),
    Row(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource."),
    Row(404, "404", "Resource not found"),
    Row(404, "DeploymentNotFound", _NO_DEPLOYMENT),
    Row(408, "Timeout", "The operation was timeout."),
    Row(429, "429", _OVER_LIMIT),
    Row(429, "tokens", _OVER_LIMIT, "429"),
    Row(429, "NoCapacity", _NO_CAPACITY),
    Row(
        503, "ServiceUnavailable", "The service is temporarily unable to process your request. Please try again later."
    ),
)
_OF_THE_FRONT_END = frozenset({401, 403, 404, 408, 429, 503})  # statuses that Azure words, whatever the code
_CODES: Mapping[str, str] = {"unknown_url": "404", "rate_limit_exceeded": "429"}  # OpenAI's names for the same


def body(error: ProviderError, operation: str, version: str) -> bytes:
    """The JSON body of an error at the endpoint of this operation."""
    if error.status == 400 and error.code == "content_filter":
        return json.dumps({"error": _filtered(error.message or _FILTERED)}).encode()
    row = row_of(error.status, error.code)
    if row is None:
        return openai_errors.body(error)
    message = row.message.format(
        operation=operation, version=version, limit="token" if row.code == "tokens" else "call", wait=_wait(error)
    )
    message = message if row.code == "404" else error.message or message
    return json.dumps({"error": {"code": row.wire or row.code, "message": message}}).encode()


def row_of(status: int, code: str | None) -> Row | None:
    """The row of status and code, else the status's first with this code; None where Azure passes OpenAI's error on."""
    code = _CODES.get(str(code), code)
    rows = [row for row in ROWS if row.status == status]
    found = next((row for row in rows if row.code == code), None)
    if found is not None or status not in _OF_THE_FRONT_END or code in openai_errors.HOPELESS:
        return found
    return rows[0] if code is None else rows[0]._replace(code=code)


def _wait(error: ProviderError) -> str:
    if error.retry_after is None:
        return ""
    return f" Please retry after {max(1, math.ceil(error.retry_after / error.speed - 1e-9))} seconds."


def _filtered(message: str) -> dict[str, object]:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FLAGGED}
    described = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return {**described, "innererror": inner}
