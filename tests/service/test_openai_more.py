"""The official openai SDK against the service: tools, structured output, Responses, embeddings, flawed streams."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from mockbot.clock import Clock
from mockbot.faults.blank_answer import BlankAnswer
from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.malformed_event import MalformedEvent
from mockbot.faults.slow import Slow
from mockbot.faults.stall import Stall
from tests.service.conftest import Served

pytestmark = pytest.mark.live

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the weather in Delft?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["C", "F"]},
                "days": {"type": "integer", "maximum": 7},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
FLAT: Any = {"type": "function", "strict": True, **WEATHER["function"]}


class Step(BaseModel):
    """A part of a plan."""

    title: str
    minutes: int


class Plan(BaseModel):
    """What the structured answers must be."""

    goal: str
    steps: list[Step]
    urgent: bool


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    """The SDK, without retries."""
    with openai.OpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1", max_retries=0, timeout=10) as client:
        yield client


def fits(arguments: str) -> bool:
    """Whether the arguments are what get_weather takes."""
    given = json.loads(arguments)
    return isinstance(given["city"], str) and given["unit"] in ("C", "F") and set(given) <= {"city", "unit", "days"}


# -- chat ----------------------------------------------------------------------------------------------------------


def test_a_tool_is_called_and_its_result_is_answered(client: openai.OpenAI) -> None:
    """The usual round trip: call with arguments that fit, result, answer in words."""
    first = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER])
    calls = first.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert (first.choices[0].finish_reason, calls[0].function.name) == ("tool_calls", "get_weather")
    assert fits(calls[0].function.arguments)

    messages: list[ChatCompletionMessageParam] = [
        *HELLO,
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": calls[0].id,
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": calls[0].function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": calls[0].id, "content": "18 C"},
    ]
    second = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert (second.choices[0].finish_reason, second.choices[0].message.tool_calls) == ("stop", None)
    assert second.choices[0].message.content


def test_a_streamed_tool_call_adds_up(client: openai.OpenAI) -> None:
    """The pieces of its arguments are the JSON that the plain answer has."""
    with client.chat.completions.stream(model="gpt-4o", messages=HELLO, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()

    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert fits(calls[0].function.arguments)
    assert final.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", False),
        ("auto", True),
        ("required", True),
        ({"type": "function", "function": {"name": "get_weather"}}, True),
    ],
)
def test_tool_choice(client: openai.OpenAI, choice: Any, called: bool) -> None:
    """What the client demands about tools is done."""
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER], tool_choice=choice)

    assert bool(answer.choices[0].message.tool_calls) is called


def test_structured_output_parses(client: openai.OpenAI) -> None:
    """`parse` gives the client's own type."""
    answer = client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Plan)

    assert isinstance(answer.choices[0].message.parsed, Plan)


def test_json_mode_gives_json(client: openai.OpenAI) -> None:
    """Any object will do."""
    ask: Any = [{"role": "user", "content": "Answer in JSON"}]
    answer = client.chat.completions.create(model="gpt-4o", messages=ask, response_format={"type": "json_object"})

    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


# -- responses -----------------------------------------------------------------------------------------------------


def test_responses_plain(client: openai.OpenAI) -> None:
    """A completed response with its text and usage."""
    response = client.responses.create(model="gpt-4o", input="Hello there")

    assert (response.status, response.object) == ("completed", "response")
    assert len(response.output_text.split()) == 12
    assert response.usage is not None
    assert response.usage.output_tokens == 12


def test_responses_streamed(client: openai.OpenAI) -> None:
    """The events come in the documented order, numbered without a gap."""
    events = list(client.responses.create(model="gpt-4o", input="Hello there", stream=True))

    kinds = [event.type for event in events]
    assert list(dict.fromkeys(kinds)) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_responses_stream_helper_agrees_with_plain(client: openai.OpenAI) -> None:
    """The SDK's accumulator ends with the same kind of response."""
    with client.responses.stream(model="gpt-4o", input="Hello there") as stream:
        final = stream.get_final_response()

    assert final.status == "completed"
    assert len(final.output_text.split()) == 12


def test_responses_tool_round_trip(client: openai.OpenAI) -> None:
    """Call, result, answer; streamed and plain."""
    plain = client.responses.create(model="gpt-4o", input="Weather?", tools=[FLAT])
    with client.responses.stream(model="gpt-4o", input="Weather?", tools=[FLAT]) as stream:
        streamed = stream.get_final_response()

    for response in (plain, streamed):
        call: Any = response.output[0]
        assert call.type == "function_call"
        assert fits(call.arguments)
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "18 C"}
    given: Any = [{"role": "user", "content": "Weather?"}, call.model_dump(), output]
    answered = client.responses.create(model="gpt-4o", input=given, tools=[FLAT])
    assert answered.output_text


def test_responses_structured_output_parses(client: openai.OpenAI) -> None:
    """The client's own type again."""
    assert isinstance(client.responses.parse(model="gpt-4o", input="Plan it", text_format=Plan).output_parsed, Plan)


def test_responses_cut_by_the_clients_maximum(client: openai.OpenAI) -> None:
    """Incomplete, and why."""
    tool: Any = {**FLAT, "parameters": Plan.model_json_schema()}
    long = client.responses.create(model="gpt-4o", input="x", tools=[tool], max_output_tokens=16)

    assert long.status == "incomplete"
    assert long.incomplete_details is not None
    assert long.incomplete_details.reason == "max_output_tokens"


# -- embeddings ----------------------------------------------------------------------------------------------------


def test_embeddings(client: openai.OpenAI) -> None:
    """Unit vectors, the same for the same text, in both encodings."""
    one = client.embeddings.create(model="text-embedding-3-small", input=["a", "b", "a"])
    plain = client.embeddings.create(model="text-embedding-3-small", input="a", encoding_format="float", dimensions=8)

    assert [len(each.embedding) for each in one.data] == [1536] * 3
    assert one.data[0].embedding == one.data[2].embedding != one.data[1].embedding
    assert sum(value**2 for value in one.data[0].embedding) == pytest.approx(1, abs=1e-5)
    assert len(plain.data[0].embedding) == 8


# -- what faults do to answers -------------------------------------------------------------------------------------


def streamed(client: openai.OpenAI) -> list[str]:
    """The words of a streamed answer, chunk by chunk."""
    chunks = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    return [chunk.choices[0].delta.content or "" for chunk in chunks]


def test_an_error_event_in_a_chat_stream(served: Served, client: openai.OpenAI) -> None:
    """The SDK raises APIError after the words that came."""
    served.break_with(ErrorEvent.model_validate({"error_event": "server_error"}))

    with pytest.raises(openai.APIError, match="had an error"):
        streamed(client)


@pytest.mark.parametrize(("shape", "raises"), [("nested", True), ("flat", False), ("failed", False)])
def test_the_shapes_of_an_error_in_responses(served: Served, client: openai.OpenAI, shape: str, raises: bool) -> None:
    """Only the nested one raises; the other two are events that a client must look for."""
    served.break_with(ErrorEvent.model_validate({"error_event": {"code": "server_is_overloaded", "shape": shape}}))
    kinds: list[str] = []

    def listen() -> None:
        kinds.extend(event.type for event in client.responses.create(model="gpt-4o", input="Hello", stream=True))

    if raises:
        with pytest.raises(openai.APIError, match="overloaded"):
            listen()
    else:
        listen()
        assert kinds[-1] == {"flat": "error", "failed": "response.failed"}[shape]
        assert "response.completed" not in kinds


@pytest.mark.parametrize("fault", [ErrorEvent.model_validate({"error_event": "server_error"})])
def test_a_plain_answer_becomes_a_500_where_a_stream_would_fail(
    served: Served, client: openai.OpenAI, fault: Any
) -> None:
    """There is no event to put the error into."""
    served.break_with(fault)

    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="gpt-4o", messages=HELLO)


@pytest.mark.parametrize("stream", [False, True])
def test_malformed(served: Served, client: openai.OpenAI, stream: bool) -> None:
    """What is not JSON does not parse."""
    served.break_with(MalformedEvent.model_validate({"malformed_event": 2}))

    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter|JSON"):
        streamed(client) if stream else client.chat.completions.create(model="gpt-4o", messages=HELLO)


@pytest.mark.parametrize("stream", [False, True])
def test_blank(served: Served, client: openai.OpenAI, stream: bool) -> None:
    """200, properly ended, and not a word in it."""
    served.break_with(BlankAnswer.model_validate({"blank_answer": True}))

    if stream:
        assert "".join(streamed(client)) == ""
    else:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].message.content == ""


@pytest.mark.parametrize("stream", [False, True])
def test_a_silent_stall_is_a_timeout(served: Served, client: openai.OpenAI, stream: bool) -> None:
    """Nothing comes any more: the SDK's own timeout ends it."""
    served.break_with(Stall.model_validate({"stall": {"sends": "nothing", "after_tokens": 2}}))
    impatient = client.with_options(timeout=0.3)

    with pytest.raises(openai.APITimeoutError):
        streamed(impatient) if stream else impatient.chat.completions.create(model="gpt-4o", messages=HELLO)


def test_keepalives_hold_a_stalled_stream_open(served: Served, client: openai.OpenAI) -> None:
    """Comments every five scenario seconds reset the SDK's read timeout; the words go on after the stall."""
    served.control.start_clock(Clock.start(100.0))
    served.break_with(Stall.model_validate({"stall": {"sends": "keepalive", "after_tokens": 2, "resumes": "100s"}}))

    assert len("".join(streamed(client.with_options(timeout=0.4))).split()) == 12


def test_slowness_delays_the_first_token(served: Served, client: openai.OpenAI) -> None:
    """By at least what the fault adds."""
    served.break_with(Slow.model_validate({"slow": {"first_token": "400ms"}}))
    began = time.monotonic()

    streamed(client)

    assert time.monotonic() - began >= 0.4
