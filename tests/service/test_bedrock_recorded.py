"""What mockbot says of Bedrock's answers, where boto3 says nothing or something else."""

from contextlib import closing, suppress
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import ProtocolError

from mockbot.pytest_plugin.fixture import Mockbot

pytestmark = pytest.mark.live

HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({}, "ok"),
        ({"cut": "clean"}, "truncated"),
        ({"cut": "reset"}, "reset"),
        ({"error_event": "throttlingException"}, "error_event"),
        ({"blank_answer": True}, "blank"),
        ({"http_error": 503}, "http_error"),
        ({"rate_limited": True}, "rate_limited"),
    ],
)
@pytest.mark.parametrize("call", ["converse_stream", "invoke_model_with_response_stream"])
def test_a_stream_has_its_outcome(mockbot: Mockbot, fault: dict[str, Any], call: str, outcome: str) -> None:
    """The events as they were sent, read with their checksums; the client is the access key id of the signature.

    A session of its own: the default one keeps the credentials of the process's first client.
    """
    if fault:
        mockbot.fault(**fault)
    body = b'{"anthropic_version": "v", "max_tokens": 99, "messages": [{"role": "user", "content": "Hello"}]}'
    asked: dict[str, Any] = {"messages": HELLO} if call == "converse_stream" else {"body": body}
    config = Config(retries={"total_max_attempts": 1})
    with (
        closing(boto3.Session().client("bedrock-runtime", config=config)) as client,
        suppress(BotoCoreError, ClientError, ParserError, ProtocolError),  # the last two are not boto3's own
    ):
        answer = getattr(client, call)(modelId="mockbot", **asked)
        with closing(answer.get("stream") or answer["body"]) as stream:
            list(stream)

    (request,) = mockbot.requests
    assert (request.outcome, request.key) == (outcome, "sk-free-1")
    assert request.streamed is (outcome not in ("http_error", "rate_limited"))
