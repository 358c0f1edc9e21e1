"""openai's SDK with the base URL of each provider that speaks OpenAI's API, against a real service process."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel, TypeAdapter

from mockbot.dialects.compatible.compatible_providers import PROVIDERS, Provider
from mockbot.dialects.families import FAMILIES
from mockbot.faults import Fault
from tests.service.conftest import Served
from tests.service.values import active

pytestmark = pytest.mark.live

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
BY_NAME = {row.name: row for row in PROVIDERS}
every = pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)


class Weather(BaseModel):
    """What a structured answer is parsed into."""

    city: str
    degrees: int


def client_of(served: Served, row: Provider, base: str | None = None, key: str = "sk-free-1") -> openai.OpenAI:
    """The SDK, without retries."""
    url = served.providers[row.name] + (row.bases[0] if base is None else base)
    return openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=10)


@pytest.fixture
def client(served: Served, row: Provider) -> Iterator[openai.OpenAI]:
    """At the first of its paths."""
    with client_of(served, row) as client:
        yield client


def broken(served: Served, row: Provider, fault: Mapping[str, Any]) -> None:
    """This fault holds from now on."""
    held: Any = TypeAdapter(Fault).validate_python(fault)
    served.control.set_faults(row.name, [active(held)])


@every
def test_chats(client: Any, row: Provider) -> None:
    """Plain, streamed, structured, and a tool whose result ends the loop."""
    model, chat, messages = row.models[0], client.chat.completions, [*HELLO]
    plain = chat.create(model=model, messages=messages)
    chunks = list(chat.create(model=model, messages=messages, stream=True))
    parsed = chat.parse(model=model, messages=messages, response_format=Weather)
    calling = chat.create(model=model, messages=messages, tools=TOOLS).choices[0].message
    calls = calling.tool_calls or []
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12 degrees"} for call in calls]
    ended = chat.create(model=model, messages=[*messages, calling, *results], tools=TOOLS).choices[0]

    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()
    assert (len((plain.choices[0].message.content or "").split()), len(words)) == (12, 12)
    assert isinstance(parsed.choices[0].message.parsed, Weather)
    assert [json.loads(call.function.arguments).keys() for call in calls if call.type == "function"] == [{"city"}]
    assert (ended.finish_reason, bool(ended.message.content)) == ("stop", True)


@every
async def test_async(served: Served, row: Provider) -> None:
    """The asynchronous client, plain and streamed."""
    url = served.providers[row.name] + row.bases[0]
    async with openai.AsyncOpenAI(base_url=url, api_key="sk-free-1") as client:
        plain = await client.chat.completions.create(model=row.models[0], messages=HELLO)
        stream = await client.chat.completions.create(model=row.models[0], messages=HELLO, stream=True)
        words = "".join([chunk.choices[0].delta.content or "" async for chunk in stream]).split()

    assert plain.choices[0].message.content
    assert len(words) == 12


@every
def test_its_other_endpoints(client: Any, row: Provider) -> None:
    """Those of the row; what another provider has at the same path is open here, too."""
    model = row.models[0]
    if "responses" in row.endpoints:
        assert client.responses.create(model=model, input="Hello").output_text
    if "embeddings" in row.endpoints:
        assert client.embeddings.create(model=model, input="Hello").data[0].embedding
    if "completions" in row.endpoints:
        assert client.completions.create(model=model, prompt="Hello").choices[0].text


@every
def test_models_at_each_of_its_paths(served: Served, row: Provider) -> None:
    """The list, and one of it; the name of one that it has not is refused with its own status and words."""
    for base in row.bases:
        with client_of(served, row, base) as client:
            assert set(row.models) <= {model.id for model in client.models.list()}
            assert client.models.retrieve(row.models[0]).id == row.models[0]
            with pytest.raises(openai.APIStatusError) as error:
                client.chat.completions.create(model="nobody", messages=HELLO)
            assert error.value.status_code == row.no_model
            assert json.dumps(row.no_such_model.format(model="nobody")) in error.value.response.text
            assert row.request_id.decode() in error.value.response.headers


@every
def test_a_body_is_written_as_the_provider_does(served: Served, row: Provider) -> None:
    """In its shape, with the words of the row."""
    shapes = {
        "xai": {"code", "error"},
        "mistral": {"object", "message", "type", "param", "code", "raw_status_code"},
        "openrouter": {"error", "user_id"},
    }
    for status, words in row.errors.items():
        if status < 400 or (row.name, status) == ("mistral", 401):
            continue
        broken(served, row, {"http_error": status})
        url = f"{served.providers[row.name]}{row.bases[0]}/chat/completions"
        answer = httpx.post(url, json={"model": row.models[0], "messages": HELLO})

        assert (answer.status_code, words.message in answer.text) == (status, True)
        assert answer.json().keys() == shapes.get(row.name, {"error"})


@every
def test_over_its_limit_and_without_capacity(served: Served, row: Provider) -> None:
    """429 with Retry-After, and the state of the limit where the provider tells it; its own status for the other."""
    with client_of(served, row, key="sk-tiny-1") as client:
        client.chat.completions.create(model=row.models[0], messages=HELLO)
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model=row.models[0], messages=HELLO)
        broken(served, row, {"shed": {"admit": {"free": "0%"}}})
        with pytest.raises(openai.APIStatusError) as shed:
            client.with_options(api_key="sk-free-1").chat.completions.create(model=row.models[0], messages=HELLO)

    headers = limited.value.response.headers
    assert int(headers["retry-after"]) > 0
    assert ("x-ratelimit-remaining-requests" in headers) == row.limits
    assert shed.value.status_code == row.busy


@every
def test_the_variables_lead_there(row: Provider) -> None:
    """Base URLs with the path that each client expects, and the key."""
    variables = FAMILIES[row.name].environment("http://127.0.0.1:9", "k")

    assert variables.pop(row.key) == "k"  # type: ignore[attr-defined]  # a dict
    assert all(value == f"http://127.0.0.1:9{row.urls[name]}" for name, value in variables.items())
    assert {value.removeprefix("http://127.0.0.1:9") for value in variables.values()} <= {*row.bases, ""}


@pytest.mark.parametrize(
    ("name", "comment"),
    [("openrouter", ": OPENROUTER PROCESSING"), ("deepseek", ": keep-alive"), ("groq", ": keepalive")],
)
def test_a_silent_stream_has_its_comments(served: Served, name: str, comment: str) -> None:
    """Which the SDK skips."""
    row = BY_NAME[name]
    broken(served, row, {"stall": {"sends": "keepalive", "after_tokens": 3, "resumes": "1s"}})
    with client_of(served, row) as client:
        chunks = list(client.chat.completions.create(model=row.models[0], messages=HELLO, stream=True))
    asked = {"model": row.models[0], "messages": HELLO, "stream": True}
    body = httpx.post(f"{served.providers[name]}{row.bases[0]}/chat/completions", json=asked).text

    assert len("".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()) == 12
    assert f"\n{comment}\n" in body


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("openrouter", 502, "Provider returned error"), ("xai", None, "Timed out waiting for first token")],
)
def test_a_200_with_an_error_is_no_answer(served: Served, name: str, code: int | None, message: str) -> None:
    """openai's SDK raises nothing and has no choices; mockbot's reader says that it is an error."""
    row = BY_NAME[name]
    broken(served, row, {"error_event": "server_error"})
    with client_of(served, row) as client:
        raw = client.chat.completions.with_raw_response.create(model=row.models[0], messages=HELLO)
    parsed: Any = raw.parse()
    reader = FAMILIES[name].chat.reader(False)
    reader.part(raw.content, 0.0)

    assert (raw.status_code, parsed.choices, reader.outcome) == (200, None, "error_event")
    body = raw.http_response.json()
    assert body["error"] == ({"message": message, "code": code} if code else message)


def test_openrouters_error_within_a_stream_ends_its_choice(served: Served) -> None:
    """A chunk with `error` at its top and finish_reason `error`; the SDK raises."""
    row = BY_NAME["openrouter"]
    broken(served, row, {"error_event": {"code": "server_error", "after_tokens": 3}})
    asked: Any = {"model": row.models[0], "messages": HELLO, "stream": True}
    events = httpx.post(f"{served.providers['openrouter']}/api/v1/chat/completions", json=asked).text.split("\n\n")
    last = json.loads(events[-2].removeprefix("data: "))
    with client_of(served, row) as client, pytest.raises(openai.APIError, match="Provider disconnected"):
        list(client.chat.completions.create(**asked))

    assert (last["error"]["code"], last["choices"][0]["finish_reason"]) == ("server_error", "error")


def test_a_path_that_two_providers_have_is_answered_by_its_own(served: Served) -> None:
    """OpenAI, Mistral, xAI and Ollama share one; other families' paths stay open at all of them."""
    answers = {}
    for name in ("main", "xai", "ollama", "groq"):
        url = f"{served.providers[name]}/v1/chat/completions"
        answers[name] = httpx.post(url, json={"model": "nobody", "messages": HELLO}).json()

    assert answers["main"]["error"]["code"] == answers["groq"]["error"]["code"] == "model_not_found"
    assert answers["ollama"]["error"]["message"] == 'model "nobody" not found, try pulling it first'
    assert answers["xai"]["code"] == "Some requested entity was not found"
