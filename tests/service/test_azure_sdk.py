"""openai's AzureOpenAI and AsyncAzureOpenAI, and OpenAI at /openai/v1, against a real service process."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel, TypeAdapter

from mockbot.dialects.azure.endpoint import API_VERSION
from mockbot.dialects.families import FAMILIES
from mockbot.faults import Fault
from tests.service.conftest import Served
from tests.service.values import active

pytestmark = pytest.mark.live

HELLO: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
MODEL = "chat-default"  # a deployment's name
KINDS = ("deployments", "one deployment", "v1", "entra")


class Weather(BaseModel):
    """What a structured answer is parsed into."""

    city: str
    degrees: int


def client_of(served: Served, kind: str = "deployments", key: str = "sk-free-1", retries: int = 0) -> openai.OpenAI:
    """The SDK in each of the ways in which it asks Azure, without retries."""
    url, more = served.providers["azure"], dict[str, Any](max_retries=retries, timeout=10)
    if kind == "v1":
        return openai.OpenAI(base_url=f"{url}/openai/v1/", api_key=key, **more)
    way: dict[str, Any] = {"azure_ad_token": key} if kind == "entra" else {"api_key": key}
    if kind == "one deployment":
        way["azure_deployment"] = MODEL
    return openai.AzureOpenAI(azure_endpoint=url, api_version=API_VERSION, **way, **more)


@pytest.fixture(params=KINDS)
def client(served: Served, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """Each of them."""
    with client_of(served, request.param) as client:
        yield client


def broken(served: Served, fault: Mapping[str, Any]) -> None:
    """This fault holds from now on."""
    held: Any = TypeAdapter(Fault).validate_python(fault)
    served.control.set_faults("azure", [active(held)])


def test_plain(client: openai.OpenAI) -> None:
    """A whole answer with its usage, and the content filter's results, which the SDK hands on."""
    answer = client.chat.completions.create(model=MODEL, messages=HELLO)

    choice = answer.choices[0]
    assert len((choice.message.content or "").split()) == 12
    assert (answer.model, choice.finish_reason, answer.usage and answer.usage.completion_tokens) == (MODEL, "stop", 12)
    assert (choice.model_extra or {})["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}
    (prompt,) = (answer.model_extra or {})["prompt_filter_results"]
    assert prompt["content_filter_results"]["jailbreak"] == {"filtered": False, "detected": False}


def test_streamed(client: openai.OpenAI) -> None:
    """The first event has no choices, but the prompt's results; the last the usage."""
    usage: Any = {"include_usage": True}
    first, *chunks, last = client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, stream_options=usage
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert first.choices == []
    assert (first.model_extra or {})["prompt_filter_results"]
    assert len(text.split()) == 12
    assert all("content_filter_results" in (chunk.choices[0].model_extra or {}) for chunk in chunks)
    assert last.usage is not None
    assert last.usage.completion_tokens == 12


def test_tools_end_with_an_answer(client: openai.OpenAI) -> None:
    """A call, its result, and words."""
    messages: list[Any] = [*HELLO]
    calling = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0]
    calls = calling.message.tool_calls or []
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12 degrees"} for call in calls]
    messages += [calling.message, *results]
    ended = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)

    assert calling.finish_reason == "tool_calls"
    assert next(json.loads(call.function.arguments) for call in calls if call.type == "function").keys() == {"city"}
    assert (ended.choices[0].finish_reason, bool(ended.choices[0].message.content)) == ("stop", True)


def test_structured(client: openai.OpenAI) -> None:
    """Parsed by the SDK."""
    answer = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Weather)

    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_embeddings_completions_and_responses(client: openai.OpenAI) -> None:
    """By the model's name; a client with one deployment asks that one, except for responses."""
    embedded = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    completed = client.completions.create(model=MODEL, prompt="Once", max_tokens=5)
    stream = client.completions.create(model=MODEL, prompt="Once", stream=True)
    streamed = "".join(each.choices[0].text for each in stream if each.choices)
    response = client.responses.create(model=MODEL, input="Hello")
    again = client.responses.retrieve(response.id)

    assert [len(each.embedding) for each in embedded.data] == [1536, 1536]
    assert len(completed.choices[0].text.split()) == 5
    assert streamed
    assert (again.id, again.output_text) == (response.id, response.output_text)


def test_models(client: openai.OpenAI) -> None:
    """The list, and one of it."""
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


async def test_async(served: Served) -> None:
    """The asynchronous client: plain, streamed, with a tool, structured, embedded, and the models."""
    url = served.providers["azure"]
    async with openai.AsyncAzureOpenAI(azure_endpoint=url, api_key="sk-free-1", api_version=API_VERSION) as client:
        chat = client.chat.completions
        plain = await chat.create(model=MODEL, messages=HELLO)
        stream = await chat.create(model=MODEL, messages=HELLO, stream=True)
        words = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        called = await chat.create(model=MODEL, messages=HELLO, tools=TOOLS)
        parsed = await chat.parse(model=MODEL, messages=HELLO, response_format=Weather)
        embedded = await client.embeddings.create(model="text-embedding-3-small", input="a")
        models = [model.id async for model in client.models.list()]

    assert plain.choices[0].message.content
    assert len(words.split()) == 12
    assert called.choices[0].message.tool_calls
    assert parsed.choices[0].message.parsed
    assert embedded.data[0].embedding
    assert MODEL in models


def test_the_variables_lead_there(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument; and openai's client at module level is still OpenAI's."""
    azure = FAMILIES["azure"]
    variables = {**azure.environment(served.providers["azure"], "sk-free-1"), **azure.unless_set}
    for name, value in {**variables, **FAMILIES["openai"].environment(served.main, "sk-free-1")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(openai, "api_type", variables["OPENAI_API_TYPE"])  # read when it was imported

    with openai.AzureOpenAI(max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, messages=HELLO)
    other = openai.chat.completions.create(model="gpt-4o", messages=HELLO)
    openai._reset_client()  # it would be kept for other tests

    assert "prompt_filter_results" in (answer.model_extra or {})
    assert "prompt_filter_results" not in (other.model_extra or {})


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"http_error": 401}, openai.AuthenticationError, "401"),
        ({"http_error": {"status": 401, "code": "PermissionDenied"}}, openai.AuthenticationError, "PermissionDenied"),
        ({"http_error": 404}, openai.NotFoundError, "404"),
        ({"http_error": 408}, openai.APIStatusError, "Timeout"),
        ({"http_error": 429}, openai.RateLimitError, "429"),
        ({"http_error": {"status": 429, "code": "insufficient_quota"}}, openai.RateLimitError, "insufficient_quota"),
        ({"http_error": 500}, openai.InternalServerError, None),
        ({"http_error": 503}, openai.InternalServerError, "ServiceUnavailable"),
        ({"shed": {"admit": {"free": "0%"}}}, openai.RateLimitError, "NoCapacity"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_has_azures_code(
    served: Served, fault: Mapping[str, Any], kind: type[Exception], code: str | None, stream: bool
) -> None:
    """`{"error": {"code", "message"}}` of its front end, and OpenAI's own body for what comes from the model."""
    broken(served, fault)
    with client_of(served) as client, pytest.raises(kind) as error:
        client.chat.completions.create(model=MODEL, messages=HELLO, stream=stream)

    assert isinstance(error.value, openai.APIStatusError)
    assert error.value.code == code
    assert "x-ms-region" in error.value.response.headers


def test_a_filtered_prompt(served: Served) -> None:
    """400 with the results of the filter in `innererror`."""
    broken(served, {"http_error": {"status": 400, "code": "content_filter"}})
    with client_of(served) as client, pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model=MODEL, messages=HELLO)

    body: Any = error.value.body
    assert (error.value.code, error.value.param, body["status"]) == ("content_filter", "prompt", 400)
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert body["innererror"]["content_filter_result"]["hate"] == {"filtered": True, "severity": "high"}


def test_a_refusal_says_how_long_to_wait_in_both_headers(served: Served) -> None:
    """Retry-After in seconds and retry-after-ms, the wait in the message, and the state of the limits."""
    with client_of(served, key="sk-tiny-1") as client:
        client.chat.completions.create(model=MODEL, messages=HELLO)
        with pytest.raises(openai.RateLimitError, match=r"ChatCompletions_Create .* exceeded call rate limit") as error:
            client.chat.completions.create(model=MODEL, messages=HELLO)

    headers = error.value.response.headers
    seconds, exact = int(headers["retry-after"]), int(headers["retry-after-ms"])
    assert 0 <= seconds * 1000 - exact < 1000
    assert f"Please retry after {seconds} seconds." in error.value.message
    assert headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize("path", ["/openai/responses?api-version=preview", "/openai/v1/responses"])
def test_a_streamed_response_is_refused_within_a_200(served: Served, path: str) -> None:
    """With Retry-After; the SDK raises at the third event. A plain one is a 429."""
    kind = "v1" if "v1" in path else "deployments"
    asked: dict[str, Any] = {"model": MODEL, "input": "Hello"}
    with client_of(served, kind, key=f"sk-tiny-{len(path)}") as client:
        client.responses.create(**asked)
        stream = client.responses.create(**asked, stream=True)
        status, headers = stream.response.status_code, stream.response.headers
        seen = [next(stream).type, next(stream).type]
        with pytest.raises(openai.APIError, match="exceeded rate limit"):
            next(stream)
        with pytest.raises(openai.RateLimitError):
            client.responses.create(**asked)

    assert (status, int(headers["retry-after"]) > 0, "retry-after-ms" in headers) == (200, True, True)
    assert headers["content-type"].startswith("text/event-stream")
    assert seen == ["response.created", "response.failed"]


def test_what_is_not_there(served: Served) -> None:
    """A deployment, an api-version, a path, and a chat model that is to complete."""
    url = served.providers["azure"]
    with client_of(served) as client:
        with pytest.raises(openai.NotFoundError) as deployment:
            client.chat.completions.create(model="nobody-has-this", messages=HELLO)
        with pytest.raises(openai.BadRequestError) as completion:
            client.completions.create(model="gpt-4o", prompt="x")
    asked = {"messages": HELLO}
    version = httpx.post(f"{url}/openai/deployments/{MODEL}/chat/completions", json=asked)
    path = httpx.post(f"{url}/openai/deployments/{MODEL}/audio/speech?api-version={API_VERSION}", json=asked)

    assert (deployment.value.code, completion.value.code) == ("DeploymentNotFound", "OperationNotSupported")
    assert [each.status_code for each in (version, path)] == [404, 404]
    assert version.json() == path.json() == {"error": {"code": "404", "message": "Resource not found"}}
