"""The official anthropic SDK against a real service process."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam
from pydantic import BaseModel

from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.http_error import HttpError
from mockbot.faults.stall import Stall
from tests.service.conftest import Served

pytestmark = pytest.mark.live

HELLO: list[MessageParam] = [{"role": "user", "content": "What is the weather in Delft?"}]
WEATHER: Any = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
        "required": ["city", "unit"],
    },
}
MODEL = "claude-sonnet-5-5"


class Plan(BaseModel):
    """What structured answers must be."""

    goal: str
    minutes: int


@pytest.fixture
def client(served: Served) -> Iterator[anthropic.Anthropic]:
    """The SDK, without retries."""
    with client_of(served) as client:
        yield client


def client_of(served: Served, key: str = "sk-free-1") -> anthropic.Anthropic:
    """An SDK client of the provider that speaks Anthropic's way."""
    return anthropic.Anthropic(base_url=served.providers["anthropic"], api_key=key, max_retries=0, timeout=10)


def test_plain(client: anthropic.Anthropic) -> None:
    """A message with its text and usage."""
    message = client.messages.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert (message.type, message.stop_reason, message.usage.output_tokens) == ("message", "end_turn", 12)
    assert message.content[0].type == "text"
    assert len(message.content[0].text.split()) == 12


def test_the_clients_own_maximum_cuts_the_answer(client: anthropic.Anthropic) -> None:
    """Stop reason `max_tokens`."""
    assert client.messages.create(model=MODEL, max_tokens=3, messages=HELLO).stop_reason == "max_tokens"


def test_streamed(client: anthropic.Anthropic) -> None:
    """The events in order, and a final message that is whole."""
    kinds = [event.type for event in client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, stream=True)]
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        words = "".join(stream.text_stream).split()
        final = stream.get_final_message()

    assert list(dict.fromkeys(kinds)) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert len(words) == 12
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 12)


async def test_async(served: Served) -> None:
    """The asynchronous client."""
    async with anthropic.AsyncAnthropic(base_url=served.providers["anthropic"], api_key="sk-free-1") as client:
        message = await client.messages.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert message.stop_reason == "end_turn"


def test_a_tool_is_called_and_its_result_is_answered(client: anthropic.Anthropic) -> None:
    """The round trip, the call plain and streamed."""
    plain = client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, tools=[WEATHER])
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO, tools=[WEATHER]) as stream:
        streamed = stream.get_final_message()

    for message in (plain, streamed):
        call: Any = message.content[0]
        assert call.type == "tool_use"
        assert (message.stop_reason, call.name) == ("tool_use", "get_weather")
        assert call.input["unit"] in ("C", "F")
    result: Any = [{"type": "tool_result", "tool_use_id": call.id, "content": "18 C"}]
    called: Any = [{"role": "assistant", "content": [call]}, {"role": "user", "content": result}]
    answer = client.messages.create(model=MODEL, max_tokens=100, messages=[*HELLO, *called], tools=[WEATHER])
    assert answer.stop_reason == "end_turn"


def test_structured_output_parses(client: anthropic.Anthropic) -> None:
    """`parse` gives the client's own type."""
    message = client.messages.parse(model=MODEL, max_tokens=100, messages=HELLO, output_format=Plan)

    assert isinstance(message.parsed_output, Plan)


def test_models(client: anthropic.Anthropic) -> None:
    """The list, one of it, and one that nobody has."""
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).display_name == "Claude Sonnet 5.5"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("gpt-4o")


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (409, anthropic.ConflictError, "conflict_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_error_classes(
    served: Served, client: anthropic.Anthropic, status: int, kind: type[Exception], word: str
) -> None:
    """Each status becomes the SDK's own exception with the documented type."""
    served.break_with(HttpError.model_validate({"http_error": status}), provider="anthropic")

    with pytest.raises(kind) as error:
        client.messages.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert isinstance(error.value, anthropic.APIStatusError)
    assert error.value.status_code == status
    assert isinstance(error.value.body, dict)
    assert error.value.body["error"]["type"] == word
    assert error.value.request_id is not None
    assert error.value.response.headers["x-should-retry"] == ("true" if status in (409, 429, 500, 529) else "false")


def test_limits_show_in_the_headers(served: Served) -> None:
    """One a minute: nothing is left, and the reset is a point in time."""
    with client_of(served, "sk-tiny-1") as client:
        first = client.messages.with_raw_response.create(model=MODEL, max_tokens=100, messages=HELLO)
        with pytest.raises(anthropic.RateLimitError) as error:
            client.messages.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert first.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert first.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    assert 50 <= int(error.value.response.headers["retry-after"]) <= 60


def test_an_error_event_is_an_error_with_status_200(served: Served, client: anthropic.Anthropic) -> None:
    """As the SDK's maintainers describe it."""
    served.break_with(ErrorEvent.model_validate({"error_event": "overloaded_error"}), provider="anthropic")

    with pytest.raises(anthropic.APIStatusError) as error:
        list(client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, stream=True))

    assert error.value.status_code == 200


def test_pings_hold_a_stalled_stream_open(served: Served, client: anthropic.Anthropic) -> None:
    """The stream goes on after its stall."""
    fault = Stall.model_validate({"stall": {"sends": "keepalive", "after_tokens": 2, "resumes": "500ms"}})
    served.break_with(fault, provider="anthropic")

    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        assert len("".join(stream.text_stream).split()) == 12
