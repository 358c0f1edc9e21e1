"""The official openai SDK against the service: what a request may ask for, in chat completions and in Responses."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from mockbot.dialects.identified_text import recognise
from tests.service.conftest import Serve, Served

pytestmark = pytest.mark.live

HELLO: Any = [{"role": "user", "content": "What is the weather in Delft, and what time is it there?"}]
CITY: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
NAMES = ("get_weather", "get_time")
NESTED: Any = [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in NAMES]
FLAT: Any = [{"type": "function", "name": name, "parameters": CITY, "strict": True} for name in NAMES]
HEX: Any = {"type": "grammar", "syntax": "regex", "definition": "^[0-9a-f]{6}$"}
LONG = "What a long story this is. " * 400  # 2700 tokens


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    """The SDK, without retries."""
    with openai.OpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1", max_retries=0, timeout=10) as client:
        yield client


def both(client: openai.OpenAI, **asked: Any) -> tuple[ChatCompletion, ChatCompletion]:
    """The same chat completion plain, and as the SDK adds up its stream."""
    given = {"model": "gpt-4o", "messages": HELLO, **asked}
    with client.chat.completions.stream(**given, stream_options={"include_usage": True}) as stream:
        streamed = stream.get_final_completion()
    return client.chat.completions.create(**given), streamed


def both_responses(client: openai.OpenAI, **asked: Any) -> tuple[Response, Response]:
    """The same response plain and streamed."""
    given = {"model": "o4-mini", "input": "What is the weather in Delft?", **asked}
    with client.responses.stream(**given) as stream:
        streamed = stream.get_final_response()
    return client.responses.create(**given), streamed


# -- chat completions ----------------------------------------------------------------------------------------------


def test_n_choices(client: openai.OpenAI) -> None:
    """Each with its index, a text of the provider's, and its tokens in the usage."""
    for answer in both(client, n=3):
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert [choice.finish_reason for choice in answer.choices] == ["stop"] * 3
        assert [recognise(choice.message.content or "")[0].whole for choice in answer.choices] == [True] * 3
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 36


def test_stop(client: openai.OpenAI) -> None:
    """A text ends before any of the sequences, with a whole word; the reason stays `stop`."""
    for answer in both(client, stop=["no such word", "e"]):
        text = answer.choices[0].message.content or ""
        assert answer.choices[0].finish_reason == "stop"
        assert recognise(text)[0].whole
        assert "e" not in text.partition(" ")[2]


def test_logprobs(client: openai.OpenAI) -> None:
    """One entry a token, with so many alternatives as asked for, the likeliest first."""
    for answer in both(client, logprobs=True, top_logprobs=3):
        choice = answer.choices[0]
        assert choice.logprobs is not None
        assert choice.logprobs.content is not None
        assert "".join(each.token for each in choice.logprobs.content) == choice.message.content
        for each in choice.logprobs.content:
            likely = [top.logprob for top in each.top_logprobs]
            assert bytes(each.bytes or []).decode() == each.token == each.top_logprobs[0].token
            assert likely == sorted(likely, reverse=True)
            assert len(likely) == 3


def test_two_tools_are_called_at_once_unless_the_client_says_no(client: openai.OpenAI) -> None:
    """Each call with an id, a place in the stream and arguments of its own."""
    for answer in both(client, tools=NESTED):
        calls = [call for call in answer.choices[0].message.tool_calls or [] if call.type == "function"]
        assert [call.function.name for call in calls] == list(NAMES)
        assert [list(json.loads(call.function.arguments)) for call in calls] == [["city"]] * 2
        assert len({call.id for call in calls}) == 2
    for answer in both(client, tools=NESTED, parallel_tool_calls=False):
        assert len(answer.choices[0].message.tool_calls or []) == 1


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["get_weather"]),
        ({"type": "function", "function": {"name": "get_time"}}, ["get_time"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": NESTED[1:]}}, ["get_time"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": NESTED}}, list(NAMES)),
    ],
)
def test_every_form_of_tool_choice(client: openai.OpenAI, choice: Any, called: list[str]) -> None:
    """Strings, a function, and a list of what is allowed."""
    for answer in both(client, tools=NESTED, tool_choice=choice):
        calls = answer.choices[0].message.tool_calls or []
        assert [call.function.name for call in calls if call.type == "function"] == called


def test_required_tools_take_turns(client: openai.OpenAI) -> None:
    """An agent that waits for its output tool gets to it."""
    said, seen = list(HELLO), []
    for _ in range(4):
        answer = client.chat.completions.create(model="gpt-4o", messages=said, tools=NESTED, tool_choice="required")
        (call,) = answer.choices[0].message.tool_calls or []
        assert call.type == "function"
        seen.append(call.function.name)
        said += [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "18 C"}]

    assert seen == [*NAMES, *NAMES]


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "nobody"}},
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "custom", "custom": {"name": "x"}}]},
        },
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": ["get_time"]}},
    ],
)
def test_a_choice_of_what_is_not_offered_is_refused(client: openai.OpenAI, choice: Any) -> None:
    """400 that names the parameter."""
    with pytest.raises(openai.BadRequestError, match=r"tool_choice|Tool choice"):
        client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=NESTED, tool_choice=choice)


def test_custom_tools_take_a_text(client: openai.OpenAI) -> None:
    """As its regular expression describes it; streamed in pieces."""
    tool: Any = {"type": "custom", "custom": {"name": "colour", "format": {"type": "grammar", "grammar": HEX}}}
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "tools": [tool]}
    call = (client.chat.completions.create(**asked).choices[0].message.tool_calls or [])[0]
    chunks: Any = client.chat.completions.create(**asked, stream=True)
    deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]

    assert call.type == "custom"
    assert call.custom.name == deltas[0].custom["name"] == "colour"
    for text in (call.custom.input, "".join(delta.custom["input"] for delta in deltas)):
        assert len(text) == len(bytes.fromhex(text)) * 2 == 6


def test_functions_of_old(client: openai.OpenAI) -> None:
    """`function_call` in the message, a result of role `function`, and then an answer."""
    asked: Any = {"functions": [NESTED[0]["function"]], "function_call": "auto"}
    plain = client.chat.completions.create(model="gpt-4o", messages=HELLO, **asked).choices[0]
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, **asked))
    called = [chunk.choices[0].delta.function_call for chunk in chunks]

    assert plain.finish_reason == chunks[-1].choices[0].finish_reason == "function_call"
    assert plain.message.function_call is not None
    assert plain.message.function_call.name == "get_weather"
    assert list(json.loads("".join(each.arguments or "" for each in called if each))) == ["city"]
    said = [*HELLO, plain.message, {"role": "function", "name": "get_weather", "content": "18 C"}]
    assert client.chat.completions.create(model="gpt-4o", messages=said, **asked).choices[0].message.content
    named = client.chat.completions.create(
        model="gpt-4o", messages=HELLO, functions=asked["functions"], function_call={"name": "get_weather"}
    )
    assert named.choices[0].message.function_call is not None


def test_reasoning_effort_costs_tokens_that_nobody_sees(client: openai.OpenAI) -> None:
    """In the usage, and in the time before the first word."""
    for effort, reasoning in (("none", 0), ("low", 3), ("medium", 12), ("high", 48)):
        for answer in both(client, model="o4-mini", reasoning_effort=effort):
            assert answer.usage is not None
            assert answer.usage.completion_tokens_details is not None
            assert answer.usage.completion_tokens_details.reasoning_tokens == reasoning
            assert answer.usage.completion_tokens == reasoning + 12
            assert len((answer.choices[0].message.content or "").split()) == 12


def test_thoughts_delay_the_first_word(serve: Serve) -> None:
    """A stream opens with its first word, for which 48 tokens of 5 ms are thought."""
    service = serve(answer={"first_token": "1ms", "tokens": {"median": 12, "p95": 12}, "pace": "200/s"})
    asked: Any = {"model": "o4-mini", "messages": HELLO, "stream": True, "reasoning_effort": "high"}
    with openai.OpenAI(base_url=f"{service.main}/v1", api_key="sk-free-1", max_retries=0) as client:
        began = time.monotonic()
        chunks = client.chat.completions.create(**asked, stream_options={"include_obfuscation": False})
        next(iter(chunks))

    assert time.monotonic() - began >= 0.24


def test_the_service_tier_is_the_one_that_answers(client: openai.OpenAI) -> None:
    """`auto` is the default one."""
    for asked, told in (("auto", "default"), ("flex", "flex"), ("priority", "priority")):
        for answer in both(client, service_tier=asked, store=False, metadata={"a": "b"}, user="u"):
            assert answer.service_tier == told


def test_a_long_prompt_is_cached(client: openai.OpenAI) -> None:
    """From 1024 tokens on, in steps of 128; what comes after the cached messages is not."""
    system: Any = {"role": "system", "content": LONG}
    first = client.chat.completions.create(model="gpt-4o", messages=[system, *HELLO])
    second = client.chat.completions.create(model="gpt-4o", messages=[system, {"role": "user", "content": "And now?"}])

    cached = []
    for answer in (first, second):
        assert answer.usage is not None
        assert answer.usage.prompt_tokens_details is not None
        cached.append(answer.usage.prompt_tokens_details.cached_tokens)
    assert cached == [0, 2688]


# -- responses -----------------------------------------------------------------------------------------------------


def test_responses_call_two_tools_at_once(client: openai.OpenAI) -> None:
    """Each an item of the output; and one where the client wants one."""
    for response in both_responses(client, tools=FLAT):
        assert [item.name for item in response.output if item.type == "function_call"] == list(NAMES)
        assert response.parallel_tool_calls
    for response in both_responses(client, tools=FLAT, parallel_tool_calls=False):
        assert len(response.output) == 1
        assert not response.parallel_tool_calls


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["get_weather"]),
        ({"type": "function", "name": "get_time"}, ["get_time"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_time"}]},
            ["get_time"],
        ),
    ],
)
def test_every_form_of_tool_choice_in_responses(client: openai.OpenAI, choice: Any, called: list[str]) -> None:
    """Flat, where chat completions nest."""
    for response in both_responses(client, tools=FLAT, tool_choice=choice):
        assert [item.name for item in response.output if item.type == "function_call"] == called


def test_required_tools_take_turns_in_responses(client: openai.OpenAI) -> None:
    """Whether the calls are sent back, or only their results for a previous response."""
    asked: Any = {"model": "gpt-4o", "tools": FLAT, "tool_choice": "required"}
    for continues in (True, False):
        seen, items, previous = list[str](), list[Any]([{"role": "user", "content": "x"}]), openai.omit
        for _ in range(2):
            response = client.responses.create(input=items, previous_response_id=previous, **asked)
            (call,) = response.output
            assert call.type == "function_call"
            seen.append(call.name)
            result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 C"}
            items, previous = ([result], response.id) if continues else ([*items, call, result], openai.omit)
        assert seen == list(NAMES)


def test_custom_tools_in_responses(client: openai.OpenAI) -> None:
    """An item of their own kind; its result is answered in words."""
    tool: Any = {"type": "custom", "name": "colour", "format": HEX}
    for response in both_responses(client, tools=[tool]):
        call = response.output[0]
        assert call.type == "custom_tool_call"
        assert len(bytes.fromhex(call.input)) == 3
        said: Any = [
            {"role": "user", "content": "x"},
            call.model_dump(exclude_none=True),
            {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "ok"},
        ]
        assert client.responses.create(model="gpt-4o", input=said, tools=[tool]).output_text


def test_tools_of_the_provider_are_not_called(client: openai.OpenAI) -> None:
    """Web search and the like run where mockbot has nothing to run."""
    assert client.responses.create(model="gpt-4o", input="x", tools=[{"type": "web_search"}]).output_text


def test_reasoning_items(client: openai.OpenAI) -> None:
    """A summary where one is asked for, encrypted content where that is included, and the tokens in the usage."""
    asked: Any = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    for response in both_responses(client, **asked):
        item, message = response.output
        assert item.type == "reasoning"
        assert item.encrypted_content
        assert len(item.summary[0].text.split()) == 3
        assert message.type == "message"
        assert response.reasoning is not None
        assert response.reasoning.effort == "low"
        assert response.usage is not None
        assert (response.usage.output_tokens, response.usage.output_tokens_details.reasoning_tokens) == (15, 3)
    for response in both_responses(client, reasoning={"effort": "low"}):
        item = response.output[0]
        assert item.type == "reasoning"
        assert (item.summary, item.encrypted_content) == ([], None)


def test_the_events_of_reasoning(client: openai.OpenAI) -> None:
    """In the documented order, before those of the message; numbered without a gap."""
    events = list(
        client.responses.create(model="o4-mini", input="x", reasoning={"effort": "low", "summary": "auto"}, stream=True)
    )

    kinds = list(dict.fromkeys(event.type for event in events))
    assert [kind.removeprefix("response.") for kind in kinds[2:9]] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_logprobs_in_responses(client: openai.OpenAI) -> None:
    """In the part when it is whole, and with each piece."""
    for response in both_responses(client, include=["message.output_text.logprobs"], top_logprobs=2):
        message = response.output[0]
        assert message.type == "message"
        part = message.content[0]
        assert part.type == "output_text"
        assert part.logprobs is not None
        assert "".join(each.token for each in part.logprobs) == part.text
        assert {len(each.top_logprobs) for each in part.logprobs} == {2}


def test_a_response_repeats_what_was_asked_for(client: openai.OpenAI) -> None:
    """Not what mockbot would have asked for."""
    asked: Any = {
        "instructions": "Be brief.", "max_output_tokens": 500, "max_tool_calls": 3, "metadata": {"run": "7"},
        "prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "flex", "store": False, "temperature": 0.2,
        "top_p": 0.5, "truncation": "auto", "user": "u", "tool_choice": "none", "tools": FLAT[:1],
        "text": {"verbosity": "low"},
    }  # fmt: skip
    for response in both_responses(client, **asked):
        told = response.model_dump(exclude_none=True)
        assert {name: told[name] for name in asked if name not in ("tools", "text")} | {"tools": FLAT[:1]} == {
            name: value for name, value in asked.items() if name != "text"
        }
        assert (told["text"]["verbosity"], told["text"]["format"]["type"]) == ("low", "text")


def test_a_long_prompt_is_cached_in_responses(client: openai.OpenAI) -> None:
    """The instructions are a part of it."""
    cached = []
    for ask in ("a", "b"):
        usage = client.responses.create(model="gpt-4o", instructions=LONG + "!", input=ask).usage
        assert usage is not None
        cached.append(usage.input_tokens_details.cached_tokens)

    assert cached == [0, 2688]
