"""boto3 and anthropic's Bedrock clients against a real service process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import anthropic
import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from pydantic import TypeAdapter

from mockbot.dialects.bedrock.invoke import VERSION
from mockbot.dialects.client_identity import api_key
from mockbot.dialects.families import FAMILIES
from mockbot.faults import Fault
from tests.service.conftest import Served

pytestmark = pytest.mark.live

MODEL = "anthropic.claude-sonnet-5-5-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5-v1:0"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]}
KEY = api_key("free", "1")
_OPEN: list[Any] = []


def client_of(served: Served, service: str = "bedrock-runtime", attempts: int = 1, **more: Any) -> Any:
    """boto3 with a signature; its own retries are off."""
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=5, **more)
    credentials = {"aws_access_key_id": KEY, "aws_secret_access_key": "s", "region_name": "us-east-1"}
    _OPEN.append(boto3.client(service, endpoint_url=served.providers["bedrock"], config=config, **credentials))
    return _OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No client leaves a connection open, nor does a stream that was not read to its end."""
    yield
    while _OPEN:
        _OPEN.pop().close()


def events_of(client: Any, **asked: Any) -> list[Any]:
    """All events of a streamed answer."""
    stream = client.converse_stream(modelId=MODEL, **asked)["stream"]
    _OPEN.append(stream)
    return list(stream)


def text_in(events: list[Any]) -> str:
    """The text of a stream."""
    return "".join(each["contentBlockDelta"]["delta"].get("text", "") for each in events if "contentBlockDelta" in each)


def broken(served: Served, fault: Mapping[str, Any]) -> None:
    """This fault holds from now on."""
    held: Any = TypeAdapter(Fault).validate_python(fault)
    served.break_with(held, provider="bedrock")


@pytest.mark.parametrize("model", [MODEL, f"us.{MODEL}", PROFILE])
def test_plain_and_streamed_are_the_same_words(served: Served, model: str) -> None:
    """By an id, one with a region, and an ARN, whose colons and slashes are encoded in the path."""
    client = client_of(served)
    asked = {"modelId": model, "messages": HELLO, "system": [{"text": "Be brief."}]}

    plain = client.converse(**asked)
    events = list(client.converse_stream(**asked)["stream"])

    assert plain["stopReason"] == "end_turn"
    assert plain["usage"]["outputTokens"] == 12
    assert plain["usage"]["totalTokens"] == plain["usage"]["inputTokens"] + 12
    assert plain["metrics"]["latencyMs"] >= 0
    assert len(plain["ResponseMetadata"]["RequestId"]) == 36
    assert text_in(events) == plain["output"]["message"]["content"][0]["text"]
    assert [next(iter(each)) for each in events][-2:] == ["messageStop", "metadata"]
    assert events[-1]["metadata"]["usage"] == plain["usage"]


def test_the_clients_own_maximum_and_stop_sequence_end_the_answer(served: Served) -> None:
    """Stop reasons max_tokens and stop_sequence."""
    client = client_of(served)

    cut = client.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": 4, "temperature": 0.5})
    stopped = client.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"stopSequences": ["e"]})

    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 4)
    assert stopped["stopReason"] == "stop_sequence"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_loop_with_a_tool_ends(served: Served, streamed: bool) -> None:
    """The call, its result, and an answer in words."""
    client = client_of(served)
    call = called(client, streamed)
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"json": {"degrees": 7}}]}}
    messages = [
        *HELLO,
        {"role": "assistant", "content": [{"toolUse": call}]},
        {"role": "user", "content": [result]},
    ]

    after = client.converse(modelId=MODEL, messages=messages, toolConfig=TOOLS)

    assert call["name"] == "get_weather"
    assert isinstance(call["input"]["city"], str)
    assert after["stopReason"] == "end_turn"


def called(client: Any, streamed: bool) -> Any:
    """The call of a tool that has to be called."""
    asked = {"modelId": MODEL, "messages": HELLO, "toolConfig": {**TOOLS, "toolChoice": {"any": {}}}}
    if not streamed:
        answer = client.converse(**asked)
        assert answer["stopReason"] == "tool_use"
        return answer["output"]["message"]["content"][-1]["toolUse"]
    events = list(client.converse_stream(**asked)["stream"])
    start = next(each["contentBlockStart"]["start"]["toolUse"] for each in events if "contentBlockStart" in each)
    deltas = [each["contentBlockDelta"]["delta"] for each in events if "contentBlockDelta" in each]
    return {**start, "input": json.loads("".join(each["toolUse"]["input"] for each in deltas if "toolUse" in each))}


def test_a_text_that_must_be_json(served: Served) -> None:
    """`outputConfig` with a schema, which is JSON in a string."""
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA), "name": "weather"}}}
    answer = client_of(served).converse(modelId=MODEL, messages=HELLO, outputConfig={"textFormat": form})

    assert isinstance(json.loads(answer["output"]["message"]["content"][0]["text"])["city"], str)


def test_reasoning_comes_before_the_text_with_its_signature(served: Served) -> None:
    """Plain and streamed."""
    client, more = client_of(served), {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    asked = {"modelId": MODEL, "messages": HELLO, "additionalModelRequestFields": more}

    reasoning, text = client.converse(**asked)["output"]["message"]["content"]
    deltas = [
        each["contentBlockDelta"] for each in client.converse_stream(**asked)["stream"] if "contentBlockDelta" in each
    ]
    thoughts = [each["delta"]["reasoningContent"] for each in deltas if "reasoningContent" in each["delta"]]

    assert reasoning["reasoningContent"]["reasoningText"]["signature"] == thoughts[-1]["signature"]
    assert reasoning["reasoningContent"]["reasoningText"]["text"] == "".join(each.get("text", "") for each in thoughts)
    assert text["text"] == text_in([{"contentBlockDelta": each} for each in deltas])


def test_a_cache_point_is_written_and_read(served: Served) -> None:
    """The usage of the first request and of the second."""
    content = [{"text": "x" * 20_000}, {"cachePoint": {"type": "default"}}]
    asked = {"modelId": MODEL, "messages": HELLO, "system": content}
    first, second = (client_of(served).converse(**asked)["usage"] for _ in range(2))

    assert first["cacheWriteInputTokens"] == second["cacheReadInputTokens"] > 4000
    assert first["totalTokens"] == second["totalTokens"]


def test_embeddings_and_models(served: Served) -> None:
    """InvokeModel of Titan and Cohere; the control plane's list."""
    client = client_of(served)
    titan = client.invoke_model(
        modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "a", "dimensions": 256})
    )
    cohere = client.invoke_model(
        modelId="cohere.embed-english-v3", body=json.dumps({"texts": ["a", "b"], "input_type": "x"})
    )
    control = client_of(served, "bedrock")

    assert len(json.loads(titan["body"].read())["embedding"]) == 256
    assert len(json.loads(cohere["body"].read())["embeddings"]) == 2
    assert MODEL in [each["modelId"] for each in control.list_foundation_models()["modelSummaries"]]
    assert control.get_foundation_model(modelIdentifier=MODEL)["modelDetails"]["modelId"] == MODEL


def test_invoke_model_takes_anthropics_body(served: Served) -> None:
    """Plain, and streamed in chunks, the last of which has Bedrock's figures."""
    client = client_of(served)
    ask = {"anthropic_version": VERSION, "max_tokens": 100, "messages": [{"role": "user", "content": "Hello there"}]}

    plain = json.loads(client.invoke_model(modelId=MODEL, body=json.dumps(ask))["body"].read())
    stream = client.invoke_model_with_response_stream(modelId=MODEL, body=json.dumps(ask))["body"]
    events = [json.loads(each["chunk"]["bytes"]) for each in stream]

    text = "".join(each["delta"].get("text", "") for each in events if each["type"] == "content_block_delta")
    assert text == plain["content"][0]["text"]
    assert events[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 12
    with pytest.raises(client.exceptions.ValidationException, match="anthropic_version"):
        client.invoke_model(modelId=MODEL, body=json.dumps({"messages": []}))


@pytest.mark.parametrize("credentials", [{"api_key": KEY}, {"aws_access_key": KEY, "aws_secret_key": "s"}])
def test_anthropics_client_asks_it(served: Served, credentials: dict[str, str]) -> None:
    """Plain and streamed, with a bearer token and with a signature."""
    url = served.providers["bedrock"]
    hello: Any = [{"role": "user", "content": "Hello there"}]
    with anthropic.AnthropicBedrock(base_url=url, aws_region="us-east-1", max_retries=0, **credentials) as client:  # type: ignore[arg-type]
        plain = client.messages.create(model=MODEL, max_tokens=50, messages=hello)
        with client.messages.stream(model=MODEL, max_tokens=50, messages=hello) as stream:
            text = "".join(stream.text_stream)

    assert plain.content[0].type == "text"
    assert text == plain.content[0].text


async def test_anthropics_asynchronous_client_asks_it(served: Served) -> None:
    """Plain and streamed."""
    url = served.providers["bedrock"]
    hello: Any = [{"role": "user", "content": "Hello there"}]
    async with anthropic.AsyncAnthropicBedrock(base_url=url, aws_region="us-east-1", api_key=KEY) as client:
        plain = await client.messages.create(model=MODEL, max_tokens=50, messages=hello)
        async with client.messages.stream(model=MODEL, max_tokens=50, messages=hello) as stream:
            text = "".join([each async for each in stream.text_stream])

    assert plain.content[0].type == "text"
    assert text == plain.content[0].text


def test_the_variables_lead_boto3_and_anthropics_client(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint, region and credentials are their own defaults."""
    for name, value in FAMILIES["bedrock"].environment(served.providers["bedrock"], KEY).items():
        monkeypatch.setenv(name, value)

    with closing(boto3.Session().client("bedrock-runtime")) as led:
        answer = led.converse(modelId=MODEL, messages=HELLO)
    with anthropic.AnthropicBedrock() as client:
        message = client.messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "Hello"}])

    assert answer["stopReason"] == "end_turn"
    assert message.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"http_error": 429}, "ThrottlingException"),
        ({"http_error": {"status": 429, "code": "ModelNotReadyException"}}, "ModelNotReadyException"),
        ({"http_error": 403}, "AccessDeniedException"),
        ({"http_error": {"status": 403, "code": "UnrecognizedClientException"}}, "UnrecognizedClientException"),
        ({"http_error": 404}, "ResourceNotFoundException"),
        ({"http_error": 408}, "ModelTimeoutException"),
        ({"http_error": 424}, "ModelErrorException"),
        ({"http_error": 500}, "InternalServerException"),
        ({"http_error": 503}, "ServiceUnavailableException"),
    ],
)
def test_an_error_has_its_type(served: Served, fault: Mapping[str, Any], name: str) -> None:
    """boto3 reads it from the header `x-amzn-errortype`."""
    broken(served, fault)

    with pytest.raises(ClientError) as error:
        client_of(served).converse(modelId=MODEL, messages=HELLO)

    assert error.value.response["Error"]["Code"] == name


def test_what_is_not_valid_is_refused(served: Served) -> None:
    """A model that is not served, tools without their configuration, an answer before a question."""
    client = client_of(served)
    call = {"toolUse": {"toolUseId": "t", "name": "n", "input": {}}}
    for model, messages in (
        ("meta.llama", HELLO),
        (MODEL, [*HELLO, {"role": "assistant", "content": [call]}]),
        (MODEL, [{"role": "assistant", "content": [{"text": "Hello"}]}]),
        (MODEL, [{"role": "user", "content": [{"text": " "}]}]),
    ):
        with pytest.raises(client.exceptions.ValidationException):
            client.converse(modelId=model, messages=messages)


def test_a_clean_cut_ends_boto3s_stream_silently(served: Served) -> None:
    """No exception, no messageStop."""
    broken(served, {"cut": "clean"})

    events = events_of(client_of(served), messages=HELLO)

    assert not any("messageStop" in each for each in events)


def test_a_wrong_checksum_is_seen(served: Served) -> None:
    """A malformed event is one whose CRC32 is wrong."""
    broken(served, {"malformed_event": 3})

    with pytest.raises(ChecksumMismatch):
        events_of(client_of(served), messages=HELLO)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("throttlingException", "throttlingException"),
        ("server_error", "internalServerException"),
        ("x", "modelStreamErrorException"),
    ],
)
def test_an_exception_within_the_stream(served: Served, code: str, name: str) -> None:
    """It comes after a status of 200."""
    broken(served, {"error_event": code})

    with pytest.raises(EventStreamError) as error:
        events_of(client_of(served), messages=HELLO)

    assert error.value.response["Error"]["Code"] == name


def test_boto3_ignores_retry_after(served: Served) -> None:
    """Its third attempt is over long before the seven seconds of the first one are."""
    broken(served, {"http_error": {"status": 429, "retry_after": "7s"}})

    with pytest.raises(ClientError) as error:
        client_of(served, attempts=3).converse(modelId=MODEL, messages=HELLO)

    metadata = error.value.response["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["retry-after"] == "7"
    assert metadata["RetryAttempts"] == 2
