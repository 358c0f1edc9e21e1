"""The official anthropic SDK against the service: what a request may ask for."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from mockbot.dialects.identified_text import recognise
from tests.service.conftest import Served

pytestmark = pytest.mark.live

HELLO: Any = [{"role": "user", "content": "What is the weather in Delft, and what time is it there?"}]
CITY: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"name": name, "input_schema": CITY} for name in ("get_weather", "get_time")]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
LONG = "What a long story this is. " * 400  # 2700 tokens


@pytest.fixture
def client(served: Served) -> Iterator[anthropic.Anthropic]:
    """The SDK, without retries."""
    url = served.providers["anthropic"]
    with anthropic.Anthropic(base_url=url, api_key="sk-free-1", max_retries=0, timeout=10) as client:
        yield client


def both(client: anthropic.Anthropic, **asked: Any) -> tuple[Message, Message]:
    """The same message plain, and as the SDK adds up its stream."""
    given = {"model": "claude-sonnet-5-5", "max_tokens": 3000, "messages": HELLO, **asked}
    with client.messages.stream(**given) as stream:
        streamed = stream.get_final_message()
    return client.messages.create(**given), streamed


def called(message: Message) -> list[str]:
    """The tools that a message calls."""
    return [block.name for block in message.content if block.type == "tool_use"]


def test_thinking_comes_first_with_its_signature(client: anthropic.Anthropic) -> None:
    """A block of its own; its tokens are output tokens."""
    for message in both(client, thinking=THINKING):
        thought, text = message.content
        assert thought.type == "thinking"
        assert thought.signature
        assert len(thought.thinking.split()) == 48
        assert text.type == "text"
        assert recognise(text.text)[0].whole
        assert message.usage.output_tokens == 60
        assert message.usage.output_tokens_details is not None
        assert message.usage.output_tokens_details.thinking_tokens == 48


def test_the_events_of_thinking(client: anthropic.Anthropic) -> None:
    """Thoughts in pieces, then the signature, then the next block."""
    events = client.messages.create(
        model="claude-sonnet-5-5", max_tokens=3000, messages=HELLO, thinking=THINKING, stream=True
    )
    told = [(event.delta.type if event.type == "content_block_delta" else event.type) for event in events]

    assert list(dict.fromkeys(told)) == [
        "message_start",
        "content_block_start",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "text_delta",
        "message_delta",
        "message_stop",
    ]
    assert told.count("content_block_start") == told.count("content_block_stop") == 2


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        ({"thinking": {"type": "adaptive"}}, 48),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, 3),
        ({"thinking": {"type": "adaptive"}, "max_tokens": 20}, 10),
        ({"thinking": {"type": "disabled"}}, 0),
    ],
)
def test_how_much_is_thought(client: anthropic.Anthropic, asked: Any, tokens: int) -> None:
    """By effort; half of the client's maximum is left to the answer."""
    for message in both(client, **asked):
        thoughts = [block.thinking for block in message.content if block.type == "thinking"]
        assert len(" ".join(thoughts).split()) == tokens
        assert message.content[-1].type == "text"


def test_thoughts_that_are_omitted_still_have_their_signature(client: anthropic.Anthropic) -> None:
    """For a client that only sends them back."""
    for message in both(client, thinking={**THINKING, "display": "omitted"}):
        thought = message.content[0]
        assert thought.type == "thinking"
        assert (thought.thinking, bool(thought.signature)) == ("", True)


def test_thinking_before_tools_and_after_their_results(client: anthropic.Anthropic) -> None:
    """A client sends the thoughts back with the calls."""
    (first, _) = both(client, thinking=THINKING, tools=TOOLS)
    assert [block.type for block in first.content] == ["thinking", "tool_use", "tool_use"]
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "18 C"} for call in calls]
    said = [*HELLO, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]

    for message in both(client, messages=said, thinking=THINKING, tools=TOOLS):
        assert [block.type for block in message.content] == ["thinking", "text"]


def test_two_tools_are_called_at_once_unless_the_client_says_no(client: anthropic.Anthropic) -> None:
    """Each a block with an id of its own."""
    for message in both(client, tools=TOOLS):
        assert called(message) == ["get_weather", "get_time"]
        assert message.stop_reason == "tool_use"
        assert len({block.id for block in message.content if block.type == "tool_use"}) == 2
    for message in both(client, tools=TOOLS, tool_choice={"type": "auto", "disable_parallel_tool_use": True}):
        assert called(message) == ["get_weather"]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "get_time"}, ["get_time"]),
    ],
)
def test_every_form_of_tool_choice(client: anthropic.Anthropic, choice: Any, names: list[str]) -> None:
    """What the client demands is done."""
    for message in both(client, tools=TOOLS, tool_choice=choice):
        assert called(message) == names


def test_required_tools_take_turns(client: anthropic.Anthropic) -> None:
    """An agent that waits for its output tool gets to it."""
    said, seen = list(HELLO), []
    for _ in range(4):
        message = both(client, messages=said, tools=TOOLS, tool_choice={"type": "any"})[0]
        (call,) = [block for block in message.content if block.type == "tool_use"]
        seen.append(call.name)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 C"}
        said += [{"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]

    assert seen == ["get_weather", "get_time"] * 2


def test_tools_of_anthropics_are_called_where_the_client_runs_them(client: anthropic.Anthropic) -> None:
    """With an input that such a program understands; those that run at the provider are not."""
    bash: Any = {"type": "bash_20250124", "name": "bash"}
    search: Any = {"type": "web_search_20250305", "name": "web_search"}
    for message in both(client, tools=[search, bash]):
        assert [block.input for block in message.content if block.type == "tool_use"] == [{"command": "ls"}]


def test_a_stop_sequence_is_named(client: anthropic.Anthropic) -> None:
    """The text ends before it, with a whole word."""
    (full, _) = both(client, stop_sequences=["no such word"])

    assert (full.stop_reason, full.stop_sequence) == ("end_turn", None)
    for message in both(client, stop_sequences=["no such word", "e"]):
        assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "e")
        assert message.content[0].type == "text"
        assert "e" not in message.content[0].text.partition(" ")[2]
        assert recognise(message.content[0].text)[0].whole


def test_what_is_marked_for_the_cache_is_written_and_then_read(client: anthropic.Anthropic) -> None:
    """`input_tokens` is what is left; the mark may move on, and an hour is told apart."""

    def usage(text: str, mark: Any, *further: Any) -> list[int | None]:
        system: Any = [{"type": "text", "text": text, "cache_control": mark}] if mark else text
        message = client.messages.create(
            model="claude-sonnet-5-5", max_tokens=100, system=system, messages=[*HELLO, *further]
        )
        told = message.usage
        assert told.cache_creation is not None
        return [
            told.cache_creation_input_tokens,
            told.cache_read_input_tokens,
            told.cache_creation.ephemeral_1h_input_tokens,
        ]

    mark: Any = {"type": "ephemeral"}
    assert usage(LONG, mark) == [2700, 0, 0]
    assert usage(LONG, mark) == [0, 2700, 0]
    moved = {"role": "user", "content": [{"type": "text", "text": LONG, "cache_control": mark}]}
    assert usage(LONG, None, moved) == [2714, 2700, 0]
    assert usage(LONG + "!", {**mark, "ttl": "1h"}) == [2701, 0, 2701]
    assert usage("short", mark) == [0, 0, 0]
