"""A fault within an answer that was added as one module and one entry, in simulated and live runs."""

import openai
import pytest

from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.simulate.fast.refusals import refusals
from tests.simulate.build import live_through, scenario

WORLD = scenario([{"second_thoughts": 3}], speed=100)


def test_simulated() -> None:
    """The simulated clients read three tokens and the error; the service counts it; the fast engine refuses it."""
    lived = live_through(WORLD)

    assert {(attempt.outcome, attempt.tokens) for attempt in lived.during(101, 175)} == {("error_event", 3)}
    assert sum(second.felt.get("bad.0.second_thoughts", 0) for second in lived.seconds) > 0
    assert refusals(WORLD) == ["fault bad.0.second_thoughts"]


def _ask_for_a_stream() -> None:
    with openai.OpenAI(max_retries=0) as client:
        for _ in client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}], stream=True
        ):
            pass


def test_by_hand(mockbot: Mockbot) -> None:
    """The official SDK reads the error out of the stream, and the service counts it."""
    with mockbot.fault(second_thoughts=3) as fault, pytest.raises(openai.APIError) as caught:
        _ask_for_a_stream()

    assert caught.value.code == "second_thoughts"
    assert fault.hits == 1


def test_live(mockbot: Mockbot) -> None:
    """The driver begins and ends it, and the judgement counts who felt it."""
    with mockbot.outage(WORLD) as outage:
        outage.wait_for("bad")
        with pytest.raises(openai.APIError):
            _ask_for_a_stream()
        outage.wait_for("after")
        _ask_for_a_stream()

    assert {fault.id: fault.felt for fault in outage.judgement().faults} == {"bad.0.second_thoughts": 1}
