"""A fault of the connection that was added as two modules and an entry for each, in simulated and live runs."""

import time
from pathlib import Path

import pytest
import requests

from mockbot.errors import UsageError
from mockbot.evidence.records import Attempt
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.simulate.fast.refusals import refusals
from mockbot.testbed.start import ProxyChoice, open_testbed
from tests.pytest_plugin.conftest import Ask
from tests.simulate.build import live_through, scenario

WORLD = scenario([{"swallow": 0}], speed=100)


def test_simulated() -> None:
    """The simulated clients wait in vain; the proxy's count says so; the fast engine refuses it by name."""
    lived = live_through(WORLD)

    assert lived.outcomes(101, 175) == {"timeout"}
    assert sum(second.felt.get("bad.0.swallow", 0) for second in lived.seconds) > 0
    assert refusals(WORLD) == ["fault bad.0.swallow"]


def _outcomes(mockbot: Mockbot) -> list[str]:
    return [line.outcome for line in mockbot.journal() if isinstance(line, Attempt)]


def test_by_hand(mockbot: Mockbot, ask: Ask) -> None:
    """As a method of `wire`, in the toxic's unit; the journal says what the client saw."""
    with mockbot.wire.swallow(20) as fault, pytest.raises(requests.RequestException):
        ask(timeout=0.3)

    assert "swallow" in dir(mockbot.wire)
    assert fault.hits == 1
    until = time.monotonic() + 10  # the proxy notices a little later that the client has left
    while _outcomes(mockbot) != ["timeout"]:
        assert time.monotonic() < until


def test_live(mockbot: Mockbot, ask: Ask) -> None:
    """The driver places the toxic at the proxy and removes it, and the judgement counts who felt it."""
    with mockbot.outage(WORLD) as outage:
        outage.wait_for("bad")
        with pytest.raises(requests.RequestException):
            ask(timeout=0.3)
        outage.wait_for("after")
        after = ask().status_code

    assert after == 200
    assert {fault.id: fault.felt for fault in outage.judgement().faults} == {"bad.0.swallow": 1}


def test_the_original_toxiproxy_is_not_asked_for_it(tmp_path: Path) -> None:
    """It knows no such toxic: the run ends before anything starts, with the way out."""
    choice = ProxyChoice("toxiproxy")
    with pytest.raises(UsageError, match="does not know swallow"), open_testbed(WORLD, 1.0, tmp_path, choice):
        pass
