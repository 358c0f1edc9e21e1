"""`@pytest.mark.intercept`: the test's client names no base URL."""

import os

import anthropic
import openai
import pytest
import requests

from mockbot.pytest_plugin.fixture import Mockbot

pytestmark = [pytest.mark.live, pytest.mark.second]
HELLO: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there"}]
ASKED: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello there"}]


@pytest.mark.intercept("llm.corp.example")
def test_clients_are_intercepted_in_and_outside_of_outages(mockbot: Mockbot) -> None:
    """One client for the whole test, made before the outage: what it asks comes from whatever is played now."""
    assert "OPENAI_BASE_URL" not in mockbot.env
    with openai.OpenAI(max_retries=0) as client, anthropic.Anthropic(max_retries=0) as other:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices
        with mockbot.fault(http_error=503), pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="gpt-4o", messages=HELLO)
        with mockbot.outage("unexpected-failure", speed=1, start_at="blackout"):
            with pytest.raises(openai.APIError):  # half of the connections are reset
                client.chat.completions.create(model="gpt-4o", messages=HELLO)
            with pytest.raises(anthropic.APIError):
                other.messages.create(
                    model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "?"}]
                )
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices

    key = {"authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    question = {"model": "gpt-4o", "messages": HELLO}
    answer = requests.post("https://llm.corp.example/v1/chat/completions", json=question, headers=key, timeout=20)
    assert answer.status_code == 200


@pytest.mark.intercept
def test_a_fault_of_the_wire_meets_the_clients_own_tls(mockbot: Mockbot) -> None:
    """And the client's request is good again when it is over."""
    with openai.OpenAI(max_retries=0) as client:
        with mockbot.fault(reset_peer=0), pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices
