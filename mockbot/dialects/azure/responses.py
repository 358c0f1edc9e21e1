"""Azure Responses: `POST /openai/v1/responses`, `/openai/responses?api-version=` and below a deployment.

AzureOpenAI of openai-python asks the second, whether it has a deployment or not (openai/lib/azure.py, `_prepare_url`).
A request for a stream that is over its limits gets 200 with Retry-After, and its refusal within the stream:
response.failed, which says nothing, then the error. Captured: github.com/earendil-works/pi/issues/7983.
"""

import json

from mockbot.dialects.azure.endpoint import AzureEndpoint, Deployed, without_model
from mockbot.dialects.dialect import AnswerMetadata, ProviderError
from mockbot.dialects.openai.response_objects import response_object
from mockbot.dialects.openai.responses import OpenAIResponses

_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
_OVER_LIMIT = {
    "type": "too_many_requests",
    "code": "rate_limit_exceeded",
    "headers": {"x-ms-fe-error": "true"},
    "message": "Your requests to the deployment have exceeded rate limit.",
    "param": None,
}


class AzureResponses(AzureEndpoint, OpenAIResponses):
    """Responses, whose model is a deployment's name."""

    path = "/openai/v1/responses"
    operation = "Responses_Create"

    def in_stream(self, error: ProviderError, meta: AnswerMetadata) -> ProviderError:
        """200, and three events."""
        failed = response_object(meta, "failed", []) | {"error": None}
        events = (
            {"type": "response.created", "response": response_object(meta, "in_progress", [])},
            {"type": "response.failed", "response": failed},
            {"type": "error", "error": _OVER_LIMIT},
        )
        error.status, error.headers = 200, (_EVENTS,)
        error.body = b"".join([_event({**each, "sequence_number": number}) for number, each in enumerate(events)])
        return error


class VersionedResponses(AzureResponses):
    """Responses, with an api-version."""

    path = "/openai/responses"


class DeployedResponses(Deployed, AzureResponses):
    """Responses of a deployment."""

    path = "/openai/deployments/{model}/responses"
    schema = without_model(OpenAIResponses.schema)


def _event(data: dict[str, object]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
