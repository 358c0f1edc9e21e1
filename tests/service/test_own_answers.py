"""Models and answers that a scenario names, through the official SDKs."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from mockbot.dialects.identified_text import recognise
from tests.service.conftest import Served, serving

pytestmark = pytest.mark.live
QUICK = {"first_token": "1ms", "tokens": {"median": 12, "p95": 12}, "pace": "1000/s"}
ANSWERS = [
    {"contains": "weather", "call": {"name": "get_weather", "arguments": {"city": "Paris"}}},
    {"contains": "18 degrees", "text": "It is 18 degrees in Paris."},
    {"matches": r"(?i)\bas json\b", "data": {"name": "Ada", "age": 36}},
    {"contains": "yes or no", "verbatim": "YES"},
]
NAMES = (
    "ft:gpt-4o-mini-2024-07-18:acme::abc", "codex-mini-latest", "openai/gpt-4o", "my-deployment",
    "meta-llama/Llama-3.1-8B-Instruct",
)  # fmt: skip
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two providers with the same answers; `few` serves a few models."""
    others = {
        "claude": {"dialect": "anthropic", "answer": QUICK, "answers": ANSWERS},
        "few": {"answer": QUICK, "models": ["gpt-*"]},
        "few-claudes": {"dialect": "anthropic", "answer": QUICK, "models": ["claude-sonnet-*", "mine"]},
    }
    with serving(tmp_path_factory.mktemp("own")) as start:
        yield start(answer=QUICK, answers=ANSWERS, others=others)


@pytest.fixture
def client(own: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{own.main}/v1", api_key="sk-free-1", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(own: Served) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=own.providers["claude"], api_key="sk-free-1", max_retries=0) as client:
        yield client


def asked(text: str) -> Any:
    return [{"role": "user", "content": text}]


def said(client: openai.OpenAI, text: str, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=asked(text), **more).choices[0]


def test_an_own_text_is_still_recognised(client: openai.OpenAI) -> None:
    """A system between crowd and provider may drop everything but the text."""
    text = said(client, "It says 18 degrees").message.content

    (piece,) = recognise(text)
    assert text.endswith("] It is 18 degrees in Paris.")
    assert (piece.provider, piece.whole, piece.of) == ("main", True, 7)


def test_json_mode_gets_the_value_that_the_client_expects(client: openai.OpenAI) -> None:
    """What a prompt describes in words nobody else can know."""
    answer = said(client, "Ada, as JSON please", response_format={"type": "json_object"})

    assert json.loads(answer.message.content) == {"name": "Ada", "age": 36}
    assert answer.finish_reason == "stop"


def test_a_verbatim_answer_is_exactly_that(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """Plain, streamed, cut by the client's own maximum, and in each dialect."""
    stream = client.chat.completions.create(model="gpt-4o", messages=asked("yes or no?"), stream=True)
    message = claude.messages.create(model="claude-x", max_tokens=9, messages=asked("yes or no?"))
    cut = said(client, "as json", max_completion_tokens=2)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "YES"
    assert client.responses.create(model="gpt-4o", input="yes or no?").output_text == "YES"
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "YES"}]
    assert (cut.message.content, cut.finish_reason) == ('{"name":', "length")


def test_an_agent_calls_the_tool_with_these_arguments_and_then_answers(client: openai.OpenAI) -> None:
    """The result of the tool is the last message then."""
    first = said(client, "How is the weather?", tools=TOOLS)
    (call,) = first.message.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    messages: Any = [*asked("How is the weather?"), first.message.to_dict(), result]
    last = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS).choices[0]

    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    assert (first.finish_reason, last.finish_reason) == ("tool_calls", "stop")
    assert "18 degrees in Paris" in str(last.message.content)


def test_a_call_is_a_block_and_an_item_elsewhere(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """As each dialect has it; a tool's result within a user's message counts as the last message."""
    with claude.messages.stream(model="claude-x", max_tokens=99, messages=asked("weather?")) as stream:
        block = stream.get_final_message().content[0]
    item = client.responses.create(model="gpt-4o", input="weather?").output[0]
    result = {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text", "text": "18 degrees"}]}
    history: Any = [
        *asked("weather?"),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "x", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [result]},
    ]
    after = claude.messages.create(model="claude-x", max_tokens=99, messages=history).content[0]

    assert block.type == "tool_use"
    assert (block.name, block.input) == ("get_weather", {"city": "Paris"})
    assert item.type == "function_call"
    assert (item.name, json.loads(item.arguments)) == ("get_weather", {"city": "Paris"})
    assert after.type == "text"
    assert "18 degrees in Paris" in after.text


def test_a_legacy_completion_has_the_own_answer_in_every_choice(client: openai.OpenAI) -> None:
    """Its prompt is the last message: plain with n choices, streamed, and cut at the client's maximum."""
    ask: Any = {"model": "gpt-3.5-turbo-instruct", "max_tokens": 50}
    plain = client.completions.create(prompt="Answer yes or no", n=2, **ask)
    streamed = list(client.completions.create(prompt="Ada as JSON", stream=True, **ask))
    cut = client.completions.create(prompt="Ada as JSON", **{**ask, "max_tokens": 1}).choices[0]
    other = client.completions.create(prompt="Hello", **ask)

    assert [choice.text for choice in plain.choices] == ["YES", "YES"]
    assert json.loads("".join(chunk.choices[0].text for chunk in streamed)) == {"name": "Ada", "age": 36}
    assert streamed[-1].choices[0].finish_reason == "stop"
    assert (cut.text, cut.finish_reason) == ('{"na', "length")
    assert "YES" not in other.choices[0].text


def test_what_no_answer_fits_is_answered_as_always(client: openai.OpenAI) -> None:
    """In prose of the usual length."""
    assert len(said(client, "Hello").message.content.split()) == 12


@pytest.mark.parametrize("model", NAMES)
def test_any_model_is_served(client: openai.OpenAI, model: str) -> None:
    """Fine-tunes, deployments, routers' prefixes, open models; the answer names it, and so does its entry."""
    answer = client.chat.completions.create(model=model, messages=asked("Hello"))

    assert (answer.model, answer.choices[0].finish_reason) == (model, "stop")
    assert client.models.retrieve(model).id == model


def test_a_provider_may_serve_a_few_models(own: Served) -> None:
    """The rest is a 404 as the provider words it, and is not in its list."""
    few = openai.OpenAI(base_url=f"{own.providers['few']}/v1", api_key="sk-free-1", max_retries=0)
    claudes = anthropic.Anthropic(base_url=own.providers["few-claudes"], api_key="sk-free-1", max_retries=0)
    with few, claudes:
        for ask in (few.chat.completions.create, few.responses.create, few.embeddings.create):
            asking: Any = ask
            text = {"messages": asked("x")} if ask == few.chat.completions.create else {"input": "x"}
            with pytest.raises(openai.NotFoundError, match="The model `ft:x` does not exist"):
                asking(model="ft:x", **text)
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            few.models.retrieve("openai/gpt-4o")
        with pytest.raises(anthropic.NotFoundError, match="model: claude-2"):
            claudes.messages.create(model="claude-2", max_tokens=9, messages=asked("x"))

        assert {model.id[:4] for model in few.models.list()} == {"gpt-", "mock"}  # of the crowd, always
        assert [model.id for model in claudes.models.list()] == ["mine", "claude-sonnet-5-5"]
