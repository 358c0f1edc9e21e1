"""The official openai SDK against a real service process."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import openai
import pytest

from mockbot.faults.cut import Cut
from mockbot.faults.http_error import HttpError
from mockbot.faults.rate_limited import RateLimited
from tests.service.conftest import Served
from tests.service.values import active

pytestmark = pytest.mark.live

HELLO: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there"}]


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    """The SDK, without retries."""
    with client_of(served) as client:
        yield client


def client_of(served: Served, key: str = "sk-free-1", retries: int = 0) -> openai.OpenAI:
    """An SDK client of the served provider."""
    return openai.OpenAI(base_url=f"{served.main}/v1", api_key=key, max_retries=retries, timeout=10)


def test_plain(client: openai.OpenAI) -> None:
    """A whole answer with its usage."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12


def test_the_clients_own_maximum_cuts_the_answer(client: openai.OpenAI) -> None:
    """Finish reason `length`, and so many tokens."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, max_completion_tokens=4)

    assert answer.choices[0].finish_reason == "length"
    assert len((answer.choices[0].message.content or "").split()) == 4


def test_streamed_words_are_the_plain_words(client: openai.OpenAI) -> None:
    """Same seed, same length, same sentences; the last chunk carries the usage."""
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o-mini", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text.split()) == 12
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12
    assert len({chunk.id for chunk in chunks}) == 1


async def test_async(served: Served) -> None:
    """The asynchronous client, plain and streamed."""
    async with openai.AsyncOpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1") as client:
        plain = await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
        stream = await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert plain.choices[0].message.content
    assert len(streamed.split()) == 12


def test_models(client: openai.OpenAI) -> None:
    """The list, one of it, and one that is not in it."""
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.models.retrieve("llama-9000")


def test_request_ids_are_there(client: openai.OpenAI) -> None:
    """x-request-id reaches the SDK, on answers and on errors."""
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)

    assert raw.headers["x-request-id"].startswith("req_")
    assert int(raw.headers["openai-processing-ms"]) >= 0
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="nobody-has-this", messages=HELLO)
    assert error.value.request_id is not None
    assert error.value.request_id.startswith("req_")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (408, openai.APIStatusError),
        (409, openai.ConflictError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_error_classes(served: Served, client: openai.OpenAI, status: int, kind: type[Exception], stream: bool) -> None:
    """Each status becomes the SDK's own exception, whether the answer was to be streamed or not."""
    served.break_with(HttpError.model_validate({"http_error": status}))

    with pytest.raises(kind) as error:
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=stream)

    assert isinstance(error.value, openai.APIStatusError)
    assert error.value.status_code == status
    assert isinstance(error.value.body, dict)
    assert set(error.value.body) == {"message", "type", "param", "code"}


def test_a_spurious_429_says_how_long_to_wait(served: Served, client: openai.OpenAI) -> None:
    """Retry-After, and no figures of a limit that the key does not have."""
    served.break_with(RateLimited.model_validate({"rate_limited": {"retry_after": "1s"}}))

    with pytest.raises(openai.RateLimitError) as error:
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert error.value.response.headers["retry-after"] == "1"
    assert "x-ratelimit-limit-requests" not in error.value.response.headers


def test_retries_are_seen_and_succeed(served: Served) -> None:
    """Refused once, the SDK asks again as told, is answered, and the provider has seen that it was a retry."""
    fault = RateLimited.model_validate({"rate_limited": {"retry_after": "1s"}})
    served.control.set_faults("main", [replace(active(fault), times=1)])
    with client_of(served, key="sk-retrying-1", retries=1) as client:
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert answer.choices[0].finish_reason == "stop"
    seen = httpx.get(f"{served.main}/metrics").text
    for outcome, retry in (("failed", "no"), ("finished", "yes")):
        labels = f'outcome="{outcome}",provider="main",retry="{retry}",tier="retrying"'
        assert f"mockbot_requests_total{{{labels}}} 1.0" in seen


def test_limits_show_in_the_headers_and_in_the_refusal(served: Served) -> None:
    """One a minute: the first answer says that nothing is left, the second is refused for the true wait."""
    with client_of(served, key="sk-tiny-1") as client:
        first = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as error:
            client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert 50 <= int(error.value.response.headers["retry-after"]) <= 60


def test_a_cut_by_reset_is_a_connection_error(served: Served, client: openai.OpenAI) -> None:
    """Three tokens, then the connection is gone."""
    served.break_with(Cut.model_validate({"cut": {"how": "reset", "after_tokens": 3}}))
    heard: list[str] = []

    def listen() -> None:
        for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True):
            heard.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - what came before the cut matters

    with pytest.raises(openai.APIConnectionError):
        listen()

    assert len("".join(heard).split()) <= 3


def test_a_clean_cut_just_ends(served: Served, client: openai.OpenAI) -> None:
    """The SDK's iterator ends without an error and without a finish reason: the truncation that nobody notices."""
    served.break_with(Cut.model_validate({"cut": {"how": "clean", "after_tokens": 3}}))

    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True))

    assert len("".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()) == 3
    assert {chunk.choices[0].finish_reason for chunk in chunks} == {None}


@pytest.mark.parametrize("how", ["reset", "closed", "clean"])
def test_plain_answers_are_cut_too(served: Served, client: openai.OpenAI, how: str) -> None:
    """Half a body: a broken connection, or JSON that does not parse."""
    served.break_with(Cut.model_validate({"cut": how}))
    expected = ValueError if how == "clean" else openai.APIConnectionError

    with pytest.raises(expected):
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
