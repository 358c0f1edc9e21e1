"""Endpoints beside chats, through the official SDKs: legacy completions, moderations, counts of tokens."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from mockbot.faults.http_error import HttpError
from tests.service.conftest import Served

pytestmark = pytest.mark.live
INSTRUCT = "gpt-3.5-turbo-instruct"


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    """OpenAI's, without retries."""
    with openai.OpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1", max_retries=0) as client:
        yield client


def test_a_completion_has_every_choice_of_every_prompt(client: openai.OpenAI) -> None:
    """In the order of the prompts, each begun by its prompt where the client wants that."""
    answer = client.completions.create(model=INSTRUCT, prompt=["one", "two"], n=2, echo=True, max_tokens=5)

    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert [choice.text[:3] for choice in answer.choices] == ["one", "one", "two", "two"]
    assert {choice.finish_reason for choice in answer.choices} == {"length"}
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 4 * 5


def test_a_streamed_completion_is_the_plain_one_in_pieces(client: openai.OpenAI) -> None:
    """Every choice ends, and the usage comes last."""
    plain = client.completions.create(model=INSTRUCT, prompt="x", n=2)
    chunks = list(
        client.completions.create(model=INSTRUCT, prompt="x", n=2, stream=True, stream_options={"include_usage": True})
    )

    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert sorted(choice.index for choice in choices if choice.finish_reason) == [0, 1]
    for index in (0, 1):
        text = "".join(choice.text for choice in choices if choice.index == index)
        assert len(text.split()) == len(plain.choices[index].text.split())
    assert (chunks[-1].choices, chunks[-1].usage) == ([], plain.usage)


def test_a_completion_ends_before_a_stop_sequence(client: openai.OpenAI) -> None:
    """Before the first of at most four."""
    stopped = client.completions.create(model=INSTRUCT, prompt="x", stop=["e", "a", "i"])

    assert len(stopped.choices[0].text.split()) == 1
    assert stopped.choices[0].finish_reason == "stop"
    with pytest.raises(openai.BadRequestError, match="array too long"):
        client.completions.create(model=INSTRUCT, prompt="x", stop=list("abcde"))


def test_a_chat_model_is_none_of_completions(client: openai.OpenAI) -> None:
    """404, as a client finds out in production."""
    with pytest.raises(
        openai.NotFoundError, match="This is a chat model and not supported in the v1/completions"
    ) as it:
        client.completions.create(model="gpt-4o", prompt="x")

    assert it.value.code is None


def test_nothing_is_flagged(client: openai.OpenAI) -> None:
    """One result for each text; several parts are one input."""
    texts = client.moderations.create(input=["a", "b"])
    part: Any = {"type": "text", "text": "a"}
    parts = client.moderations.create(model="omni-moderation-latest", input=[part])

    assert [result.flagged for result in texts.results] == [False, False]
    assert len(parts.results) == 1
    assert texts.results[0].categories.violence is False


def test_a_count_of_tokens_is_what_the_message_costs(served: Served) -> None:
    """The SDK's own call, and the usage of the same messages."""
    asked = {"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "How many tokens is this?"}]}
    with anthropic.Anthropic(base_url=served.providers["anthropic"], api_key="sk-free-1", max_retries=0) as client:
        count = client.messages.count_tokens(**asked)  # type: ignore[arg-type]
        message = client.messages.create(max_tokens=5, **asked)  # type: ignore[call-overload]

    assert count.input_tokens == message.usage.input_tokens


def test_the_provider_fails_there_too(client: openai.OpenAI, served: Served) -> None:
    """A fault is of the provider, not of one endpoint."""
    served.break_with(HttpError.model_validate({"http_error": 503}))

    with pytest.raises(openai.InternalServerError):
        client.moderations.create(input="a")
    with pytest.raises(openai.InternalServerError):
        client.completions.create(model=INSTRUCT, prompt="x")
