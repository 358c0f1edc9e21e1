"""google-genai against a real service process, at the Gemini API and Vertex AI; OpenAI's SDK where it is compatible."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from google.genai import Client, errors, types
from google.oauth2.credentials import Credentials
from pydantic import BaseModel, TypeAdapter

from mockbot.dialects.client_identity import api_key
from mockbot.evidence.unserved import counted
from mockbot.faults import Fault
from mockbot.faults.base import ServiceFault
from tests.service.conftest import Served
from tests.service.test_serving import until

pytestmark = pytest.mark.live

KEY, MODEL = api_key("free", "1"), "gemini-2.5-flash"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}]}


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


WEATHER = types.FunctionDeclaration(name="get_weather", parameters_json_schema=Weather.model_json_schema())
TOOLS: Any = [types.Tool(function_declarations=[WEATHER])]


def client_of(served: Served, **more: Any) -> Client:
    """The SDK as it comes; its own retries are off unless they are asked for."""
    options = {"base_url": served.providers["gemini"], **more.pop("http_options", {})}
    return Client(**({"api_key": KEY} | more), http_options=types.HttpOptions(**options))


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    """A client of the Gemini API."""
    with client_of(served) as client:
        yield client


def config(**values: Any) -> types.GenerateContentConfig:
    """A configuration; functions are not called by the SDK itself."""
    off = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(automatic_function_calling=off, **values)


def broken(served: Served, fault: Mapping[str, Any]) -> None:
    """This fault holds from now on."""
    held = TypeAdapter(Fault).validate_python(fault)
    assert isinstance(held, ServiceFault)
    served.break_with(held, provider="gemini")


def parts_of(answer: types.GenerateContentResponse) -> list[types.Part]:
    """Of the first candidate."""
    assert answer.candidates
    content = answer.candidates[0].content
    return (content.parts if content else None) or []


def post(served: Served, method: str, body: object = HELLO, **query: str) -> httpx.Response:
    """A request without the SDK."""
    return httpx.post(f"{served.providers['gemini']}/v1beta/models/{MODEL}:{method}", json=body, params=query)


def test_plain_and_streamed_are_the_same_words(client: Client) -> None:
    """With their usage; only the last response of a stream has a finish reason."""
    plain = client.models.generate_content(model=MODEL, contents="Hello there")
    stream = list(client.models.generate_content_stream(model=MODEL, contents="Hello there"))

    assert plain.candidates
    assert plain.usage_metadata
    assert stream[-1].usage_metadata
    assert plain.candidates[0].finish_reason == "STOP"
    assert plain.usage_metadata.candidates_token_count == 12
    assert plain.usage_metadata.total_token_count == (plain.usage_metadata.prompt_token_count or 0) + 12
    assert plain.model_version == MODEL
    assert "".join(each.text or "" for each in stream) == plain.text
    assert [each.candidates and each.candidates[0].finish_reason for each in stream][-2:] == [None, "STOP"]
    assert stream[-1].usage_metadata.total_token_count == plain.usage_metadata.total_token_count
    assert len({each.response_id for each in stream}) == 1


async def test_async(served: Served) -> None:
    """The asynchronous client, plain and streamed."""
    client = client_of(served).aio
    plain = await client.models.generate_content(model=MODEL, contents="Hello there")
    stream = await client.models.generate_content_stream(model=MODEL, contents="Hello there")
    streamed = "".join([each.text or "" async for each in stream])
    await client.aclose()

    assert len(streamed.split()) == 12
    assert plain.text == streamed


def test_a_stream_without_events_is_one_array(served: Served) -> None:
    """The same responses as its members; the error within it is one of them."""
    array, events = post(served, "streamGenerateContent"), post(served, "streamGenerateContent", alt="sse")
    broken(served, {"error_event": {"code": "UNAVAILABLE"}})
    cut = post(served, "streamGenerateContent").json()

    assert array.headers["content-type"] == "application/json; charset=UTF-8"
    assert events.headers["content-type"].startswith("text/event-stream")
    text = "".join(part["text"] for each in array.json() for part in each["candidates"][0]["content"]["parts"])
    assert len(text.split()) == 12
    assert json.loads(events.text.split("\r\n\r\n")[0].removeprefix("data: ")).keys() == array.json()[0].keys()
    assert cut[-1]["error"]["status"] == "UNAVAILABLE"


def test_what_the_client_asks_for_shapes_the_answer(client: Client) -> None:
    """Its maximum, stop sequences, and several candidates."""
    cut = client.models.generate_content(model=MODEL, contents="Hello", config=config(max_output_tokens=4))
    stopped = client.models.generate_content(model=MODEL, contents="Hello", config=config(stop_sequences=[" "]))
    both = client.models.generate_content(model=MODEL, contents="Hello", config=config(candidate_count=2))

    assert cut.candidates
    assert cut.candidates[0].finish_reason == "MAX_TOKENS"
    assert len((cut.text or "").split()) == 4
    assert len((stopped.text or "").split()) == 1
    assert both.candidates
    assert [each.index for each in both.candidates] == [0, 1]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_loop_with_a_function_ends(client: Client, streamed: bool) -> None:
    """The call in one piece, its result, and an answer in words."""
    contents: Any = [types.Content(role="user", parts=[types.Part(text="Weather?")])]
    if streamed:
        responses = list(
            client.models.generate_content_stream(model=MODEL, contents=contents, config=config(tools=TOOLS))
        )
    else:
        responses = [client.models.generate_content(model=MODEL, contents=contents, config=config(tools=TOOLS))]
    call = next(part.function_call for each in responses for part in parts_of(each) if part.function_call)
    result = types.FunctionResponse(id=call.id, name=call.name, response={"result": "7"})
    contents += [
        types.Content(role="model", parts=[types.Part(function_call=call)]),
        types.Content(role="user", parts=[types.Part(function_response=result)]),
    ]
    after = client.models.generate_content(model=MODEL, contents=contents, config=config(tools=TOOLS))

    assert call.name == "get_weather"
    assert Weather.model_validate(call.args)
    assert after.text


def test_the_sdk_calls_functions_by_itself(client: Client) -> None:
    """Python's function is called once, and a chat goes on with its result."""
    asked = []

    def get_weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return "7 degrees"

    chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[get_weather]))

    assert chat.send_message("What is the weather in Delft?").text
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("mode", "allowed", "called"),
    [("NONE", None, None), ("ANY", ["b"], "b"), ("VALIDATED", ["b"], "b"), ("AUTO", None, "a")],
)
def test_modes_of_function_calling(client: Client, mode: str, allowed: list[str] | None, called: str | None) -> None:
    """NONE calls nothing; allowed names are the only ones offered."""
    tools: Any = [types.Tool(function_declarations=[types.FunctionDeclaration(name=name) for name in "ab"])]
    calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode(mode), allowed_function_names=allowed)
    given = config(tools=tools, tool_config=types.ToolConfig(function_calling_config=calling))
    answer = client.models.generate_content(model=MODEL, contents="Hello", config=given)

    assert [each.name for each in answer.function_calls or []][:1] == ([called] if called else [])


@pytest.mark.parametrize(
    "schema", [{"response_schema": Weather}, {"response_json_schema": Weather.model_json_schema()}]
)
def test_a_text_that_must_be_json(client: Client, schema: dict[str, Any]) -> None:
    """Google's own schema, and JSON Schema; any object without one."""
    form = config(response_mime_type="application/json", **schema)
    answer = client.models.generate_content(model=MODEL, contents="Hello", config=form)
    free = client.models.generate_content(
        model=MODEL, contents="Hello", config=config(response_mime_type="application/json")
    )

    assert Weather.model_validate_json(answer.text or "")
    assert isinstance(json.loads(free.text or ""), dict)


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_come_before_the_text(client: Client, streamed: bool) -> None:
    """As parts of their own when they are asked for, and always counted; the text has the signature."""
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=100)
    ask: Any = {"model": MODEL, "contents": "Hello", "config": config(thinking_config=thinking)}
    if streamed:
        responses = list(client.models.generate_content_stream(**ask))
    else:
        responses = [client.models.generate_content(**ask)]
    parts = [part for each in responses for part in parts_of(each)]
    hidden = client.models.generate_content(
        model=MODEL, contents="Hello", config=config(thinking_config=types.ThinkingConfig(thinking_level="LOW"))
    )

    assert parts[0].thought
    assert not parts[-1].thought
    assert parts[-1].thought_signature
    usage = responses[-1].usage_metadata
    assert usage
    assert (usage.thoughts_token_count or 0) > 0
    assert usage.total_token_count == sum(
        [usage.prompt_token_count or 0, usage.candidates_token_count or 0, usage.thoughts_token_count or 0]
    )
    assert not any(part.thought for part in parts_of(hidden))
    assert hidden.usage_metadata
    assert hidden.usage_metadata.thoughts_token_count


def test_counts_embeddings_and_models(client: Client) -> None:
    """The count is what the answer says that the prompt cost."""
    answer = client.models.generate_content(model=MODEL, contents="Hello there")
    count = client.models.count_tokens(model=MODEL, contents="Hello there")
    embedded = client.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=256)
    )

    assert answer.usage_metadata
    assert count.total_tokens == answer.usage_metadata.prompt_token_count
    assert [len(each.values or []) for each in embedded.embeddings or []] == [256, 256]
    assert f"models/{MODEL}" in [each.name for each in client.models.list()]
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"


def test_a_long_prompt_is_cached_implicitly(client: Client) -> None:
    """The second request reads what the first one wrote."""
    first, second = (
        client.models.generate_content(model=MODEL, contents="cached " * 2000).usage_metadata for _ in range(2)
    )

    assert first
    assert second
    assert first.cached_content_token_count is None
    assert (second.cached_content_token_count or 0) > 1024


@pytest.mark.parametrize(
    "place",
    [
        {"project": "p", "location": "us-central1", "credentials": Credentials(KEY), "api_key": None},  # type: ignore[no-untyped-call]
        {},
    ],
    ids=["project", "express"],
)
def test_vertex(served: Served, place: dict[str, Any]) -> None:
    """Within a project with an access token, and with a key alone: plain, streamed, counted, embedded, listed."""
    with client_of(served, vertexai=True, **place) as client:
        plain = client.models.generate_content(model=MODEL, contents="Hello there")
        streamed = [
            each.text or "" for each in client.models.generate_content_stream(model=MODEL, contents="Hello there")
        ]
        count = client.models.count_tokens(model=MODEL, contents="Hello there")
        embedded = client.models.embed_content(model="text-embedding-005", contents=["a", "b"])
        names = [each.name for each in client.models.list(config={"query_base": True})]
        with pytest.raises(errors.ClientError, match="Publisher Model"):
            client.models.generate_content(model="nobody-has-this", contents="Hello")

    assert "".join(streamed) == plain.text
    assert count.total_tokens
    assert [len(each.values or []) for each in embedded.embeddings or []] == [768, 768]
    assert f"publishers/google/models/{MODEL}" in names


def test_openais_sdk_at_the_compatible_endpoint(served: Served) -> None:
    """OpenAI's answers, and Google's errors in an array."""
    with openai.OpenAI(base_url=f"{served.providers['gemini']}/v1beta/openai", api_key=KEY, max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}])
        embedded = client.embeddings.create(model="text-embedding-005", input="a")
        models = [each.id for each in client.models.list()]
        with pytest.raises(openai.NotFoundError) as error:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])

    assert answer.choices[0].message.content
    assert embedded.data[0].embedding
    assert f"models/{MODEL}" in models
    assert json.loads(error.value.response.text)[0]["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "details"),
    [
        ({"http_error": 400}, "INVALID_ARGUMENT", []),
        (
            {"http_error": {"status": 400, "code": "API_KEY_INVALID"}},
            "INVALID_ARGUMENT",
            ["ErrorInfo", "LocalizedMessage"],
        ),
        ({"http_error": 401}, "UNAUTHENTICATED", []),
        ({"http_error": 403}, "PERMISSION_DENIED", []),
        ({"http_error": 404}, "NOT_FOUND", []),
        ({"http_error": 429}, "RESOURCE_EXHAUSTED", []),
        ({"http_error": {"status": 429, "retry_after": "36s"}}, "RESOURCE_EXHAUSTED", ["RetryInfo"]),
        (
            {"http_error": {"status": 429, "code": "quota_per_day", "retry_after": "36s"}},
            "RESOURCE_EXHAUSTED",
            ["Help", "QuotaFailure", "RetryInfo"],
        ),
        ({"http_error": 500}, "INTERNAL", []),
        ({"http_error": 503}, "UNAVAILABLE", []),
        ({"http_error": 504}, "DEADLINE_EXCEEDED", []),
        ({"shed": {"admit": {"free": "0%"}}}, "UNAVAILABLE", []),
    ],
)  # fmt: skip
def test_an_error_has_googles_status_and_details(
    served: Served, client: Client, fault: Mapping[str, Any], status: str, details: list[str], streamed: bool
) -> None:
    """In the SDK's own exceptions, whether the answer was to be streamed or not."""
    broken(served, fault)
    ask = client.models.generate_content_stream if streamed else client.models.generate_content

    with pytest.raises(errors.APIError) as error:
        list(ask(model=MODEL, contents="Hello"))

    assert error.value.status == status
    found = error.value.details["error"].get("details", [])
    assert [each["@type"].rpartition(".")[2] for each in found] == details
    if "RetryInfo" in details:
        assert found[-1]["retryDelay"] == "36s"


def test_over_a_limit_the_error_names_quota_and_wait(served: Served) -> None:
    """The figures of the scenario's own limit."""
    with client_of(served, api_key=api_key("tiny", "1")) as client:
        client.models.generate_content(model=MODEL, contents="Hello")
        with pytest.raises(errors.ClientError) as error:
            client.models.generate_content(model=MODEL, contents="Hello")

    help_, quota, retry = error.value.details["error"]["details"]
    assert "limit: 1, model: gemini-2.5-flash" in (error.value.message or "")
    assert "links" in help_
    assert quota["violations"][0]["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    assert 0 < float(retry["retryDelay"].removesuffix("s")) <= 60


def test_vertexs_429_has_no_details(served: Served) -> None:
    """Whatever the wait is."""
    broken(served, {"http_error": {"status": 429, "retry_after": "36s"}})
    with client_of(served, vertexai=True) as client, pytest.raises(errors.ClientError) as error:
        client.models.generate_content(model=MODEL, contents="Hello")

    assert "details" not in error.value.details["error"]
    assert "error-code-429" in (error.value.message or "")


@pytest.mark.parametrize(("code", "status"), [("UNAVAILABLE", 503), ("server_error", 500), ("RESOURCE_EXHAUSTED", 429)])
def test_an_error_within_the_stream(served: Served, code: str, status: int) -> None:
    """It is the last event, after a status of 200."""
    broken(served, {"error_event": code})
    response = post(served, "streamGenerateContent", alt="sse")

    assert response.status_code == 200
    assert json.loads(response.text.rstrip().rpartition("data: ")[2])["error"]["code"] == status


def test_a_clean_cut_ends_the_sdks_stream_silently(served: Served, client: Client) -> None:
    """No exception, and no finish reason."""
    broken(served, {"cut": "clean"})
    responses = list(client.models.generate_content_stream(model=MODEL, contents="Hello"))

    assert not any(each.candidates and each.candidates[0].finish_reason for each in responses)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "contents is not specified"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
        ({"contents": [{"parts": []}]}, "must not be empty"),
        ({"contents": [{"parts": [{}]}]}, "required oneof field 'data'"),
        ({"contents": [{"parts": [{"txt": "x"}]}]}, "Unknown name \"txt\" at 'contents[0].parts[0]'"),
        ({**HELLO, "stream": True}, 'Unknown name "stream": Cannot find field.'),
        ({**HELLO, "generationConfig": {"maxTokens": 5}}, "Unknown name \"maxTokens\" at 'generation_config'"),
        ({**HELLO, "generation_config": {"temperature": 3}}, "temperature must be in the range [0.0, 2.0]"),
        ({**HELLO, "generationConfig": {"responseSchema": {"type": "STRING"}}}, "response_mime_type"),
        (
            {**HELLO, "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"$schema": "x"}}]}]},
            "Unknown name \"$schema\" at 'tools[0].function_declarations[0].parameters'",
        ),
        (
            {"contents": [*HELLO["contents"], {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}]},
            "immediately after a function call turn",
        ),
        (
            {
                "contents": [
                    *HELLO["contents"],
                    {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
                    {"role": "user", "parts": [{"text": "x"}]},
                ]
            },
            "number of function response parts is equal",
        ),
    ],
)
def test_what_is_wrong_is_named(served: Served, body: dict[str, Any], message: str) -> None:
    """400 INVALID_ARGUMENT with Google's sentence."""
    response = post(served, "generateContent", body)

    assert response.status_code == 400
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert message in response.json()["error"]["message"]


def test_fields_may_be_written_in_snake_case(served: Served) -> None:
    """As ProtoJSON allows, and one message for a list of it."""
    body = {"contents": {"parts": {"text": "Hello"}}, "generation_config": {"max_output_tokens": 3}}

    assert post(served, "generateContent", body).json()["usageMetadata"]["candidatesTokenCount"] == 3


def test_a_key_in_the_query_counts_and_is_not_told(served: Served) -> None:
    """The tier's limit applies to it; a path that is not served is told without its query."""
    url, key = served.providers["gemini"], api_key("tiny", "77")
    statuses = [post(served, "generateContent", key=key).status_code for _ in range(2)]
    httpx.post(f"{url}/v1beta/cachedContents", params={"key": "AIzaSyRealLookingKey0123456789"})

    assert statuses == [200, 429]
    until(lambda: counted(served.control.seconds(0)) == {"url POST /v1beta/cachedContents": 1})
