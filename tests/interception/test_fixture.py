"""`@pytest.mark.intercept`: the test's client names no base URL. `@pytest.mark.tls`: its base URL is https."""

import os

import anthropic
import openai
import pytest
import requests

from mockbot.errors import UsageError
from mockbot.pytest_plugin.fixture import QUICK, Mockbot
from mockbot.scenario.schema import Scenario

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


OUTAGE = Scenario.model_validate(
    {
        "name": "renewal-forgotten",
        "title": "No handshake succeeds until somebody has renewed the certificate",
        "providers": {"main": {"answer": QUICK.model_dump()}},
        "crowd": {"all": {"users": "100%", "policy": "once"}},
        "phases": [
            {"name": "expired", "lasts": "1h", "users": 1, "faults": [{"tls": "expired"}]},
        ],
    }
)


def asks() -> None:
    """A new client, and so a new connection."""
    with openai.OpenAI(max_retries=0, timeout=20) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices


@pytest.mark.tls
def test_handshakes_fail_in_an_outage_and_by_hand(mockbot: Mockbot) -> None:
    """The base URL is https; only new connections meet the fault, which ends with its block, and each was felt."""
    assert mockbot.url.startswith("https://127.0.0.1:")
    assert "HTTPS_PROXY" not in mockbot.env
    asks()
    with openai.OpenAI(max_retries=0, timeout=20) as client:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
        with mockbot.fault(tls="wrong_host", share=0.5), mockbot.fault(tls="refused"):
            client.chat.completions.create(model="gpt-4o", messages=HELLO)
            for _ in range(12):
                with pytest.raises(openai.APIConnectionError):
                    asks()
    asks()
    with mockbot.outage(OUTAGE, speed=1) as outage:
        with pytest.raises(openai.APIConnectionError, match="Connection error") as error:
            asks()
        assert "expired" in repr(error.value.__cause__)
    assert outage.unfelt() is None
    asks()
    assert mockbot.unfelt() is None


@pytest.mark.intercept
def test_handshakes_fail_of_an_intercepted_client(mockbot: Mockbot) -> None:
    """The host keeps its name; its certificate is another one's."""
    with mockbot.fault(tls="wrong_host"), pytest.raises(openai.APIConnectionError):
        asks()
    asks()


def test_a_fault_of_the_handshake_needs_https(mockbot: Mockbot) -> None:
    """Without it the sentence says what to add; for an outage in the same words."""
    with pytest.raises(UsageError, match=r"mark the test with @pytest\.mark\.tls"):
        mockbot.fault(tls="expired")


@pytest.mark.xfail(raises=UsageError, strict=True)
@pytest.mark.outage(OUTAGE)
def test_an_outage_of_the_handshake_needs_https() -> None:
    """As above."""
