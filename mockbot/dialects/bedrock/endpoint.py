"""What all endpoints of Bedrock's runtime share: the model in the path, headers, refusals and errors.

An error's type is in the header `x-amzn-errortype`, its words in `{"message": ...}` (smithy.io/2.0/aws/protocols/
aws-restjson1-protocol.html, "Operation error serialization"). Types and statuses: docs.aws.amazon.com/bedrock/latest/
APIReference/API_runtime_Converse.html, "Errors", and CommonErrors.html there. None has a Retry-After of its own.
"""

import json
import re
from typing import NamedTuple

from mockbot.dialects.dialect import Allowance, Header, ProviderError, Question, Reason
from mockbot.dialects.openapi import RESPONSES

NOT_JSON = "Malformed input request, please reformat your input and try again."
_BUSY = "Bedrock is unable to process your request."
_REGION = re.compile(r"(?:us|eu|apac|ap|jp|au|ca|sa|us-gov|global)\.(?=[a-z0-9-]+\.)")


class Row(NamedTuple):
    """One documented error."""

    status: int
    type: str
    message: str


ROWS = (
    Row(400, "ValidationException", "The request is not valid."),
    Row(401, "UnrecognizedClientException", "The security token included in the request is invalid."),
    Row(403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
    Row(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    Row(404, "ResourceNotFoundException", "The specified resource ARN was not found."),
    Row(404, "UnknownOperationException", "The operation is not known."),
    Row(405, "UnknownOperationException", "The operation is not known."),
    Row(408, "ModelTimeoutException", "The request took too long to process."),
    Row(413, "ValidationException", "The request is too large."),
    Row(424, "ModelErrorException", "The model encountered an unexpected error while it processed the request."),
    Row(429, "ThrottlingException", "Too many requests, please wait before trying again."),
    Row(429, "ModelNotReadyException", "The model is not ready for inference. Wait and try your request again."),
    Row(500, "InternalServerException", "The system encountered an unexpected error during processing."),
    Row(503, "ServiceUnavailableException", _BUSY),
)
_OF_EVENTS = {  # members of ConverseStreamOutput and ResponseStream
    "internalServerException": "The system encountered an unexpected error during processing.",
    "modelStreamErrorException": "An error occurred while the response was streamed.",
    "modelTimeoutException": "The request took too long to process.",
    "serviceUnavailableException": _BUSY,
    "throttlingException": "Too many requests, please wait before trying again.",
    "validationException": "The request is not valid.",
}
_SAME = {  # what scenarios say of other providers
    "server_error": "internalServerException", "api_error": "internalServerException",
    "rate_limit_error": "throttlingException", "rate_limit_exceeded": "throttlingException",
    "overloaded_error": "serviceUnavailableException", "server_is_overloaded": "serviceUnavailableException",
}  # fmt: skip


def row_of(error: ProviderError) -> Row:
    """A code that names one of the types wins over the status; an undocumented status has the type of its hundred."""
    if error.code == "unknown_url":
        return Row(404, "UnknownOperationException", "The operation is not known.")
    rows = [row for row in ROWS if row.type == error.code] or [row for row in ROWS if row.status == error.status]
    return rows[0] if rows else next(row for row in ROWS if row.status == (500 if error.status >= 500 else 400))


def exception_of(code: str) -> tuple[str, str]:
    """The type of an exception within a stream, and its words; an unknown one is the model's."""
    kind = _SAME.get(code, code[:1].lower() + code[1:])
    kind = kind if kind in _OF_EVENTS else "modelStreamErrorException"
    return kind, _OF_EVENTS[kind]


def model_id(named: str) -> str:
    """The id of a model that a path names: without the ARN around it, and the region of an inference profile.

    docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
    """
    return _REGION.sub("", named.rpartition("/")[2] if named.startswith("arn:") else named, count=1)


class BedrockEndpoint:
    """An endpoint of bedrock-runtime."""

    largest_body = 25_000_000  # API_runtime_InvokeModel.html, "Request Body": at most 25000000 bytes
    responses = RESPONSES
    keepalive = b""
    also: tuple[str, ...] = ()

    def read(self, body: bytes) -> Question:
        """A request to no model in particular."""
        return self.read_for("", body, b"")

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:
        """As `ModelInPath` has it."""
        raise NotImplementedError

    def unknown_model(self, model: str) -> ProviderError:
        """Bedrock takes an id that it does not know for a wrong value."""
        return ProviderError(400, None, "The provided model identifier is invalid.", unknown_model=model)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:  # noqa: ARG002
        """The id of the request, and how long it took; nothing says what is left of a quota."""
        name = f"{mark:016x}{mark ^ 0x9E3779B97F4A7C15:016x}"
        request = f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"
        return [
            (b"x-amzn-requestid", request.encode()),
            (b"x-amzn-bedrock-invocation-latency", b"%d" % millis),
        ]

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Quotas are 429, without a wait; a lack of capacity is 503, with a wait only if the scenario gives one."""
        match reason:
            case "rate_limited":
                return ProviderError(429, "ThrottlingException")
            case "token_limited" | "too_large":
                message = "Too many tokens, please wait before trying again."
                return ProviderError(429, "ThrottlingException", message)
        return ProviderError(503, "ServiceUnavailableException", retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - the id is in a header
        return json.dumps({"message": error.message or row_of(error).message}).encode()

    def error_headers(self, error: ProviderError) -> list[Header]:
        return [(b"x-amzn-errortype", row_of(error).type.encode())]
