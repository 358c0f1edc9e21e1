"""The fixture in a suite that freezes or travels in time and mocks HTTP: freezegun, time-machine, respx, responses."""

import pytest

from tests.pytest_plugin.test_suites import INI

pytestmark = pytest.mark.nightly
pytest_plugins = ["pytester"]

SUITE = """
import json
import os
import time
import urllib.error
import urllib.request

import freezegun
import pytest
import requests
import responses
import time_machine

from mockbot import Scenario

SHORT = Scenario.model_validate({
    "name": "short",
    "title": "Two seconds without answers",
    "providers": {"main": {"answer": {"first_token": 0.01, "pace": 1000.0}}},
    "crowd": {"all": {"users": 1.0, "policy": "once"}},
    "phases": [
        {"name": "calm", "lasts": 0.3, "users": 1},
        {"name": "blackout", "lasts": 2.0, "faults": [{"http_error": 503}]},
        {"name": "after", "lasts": 5.0},
    ],
})
CLOCKS = {
    "frozen": lambda: freezegun.freeze_time("2024-01-01"),
    "frozen, ticking": lambda: freezegun.freeze_time("2031-01-01", tick=True),
    "frozen, ahead at each reading": lambda: freezegun.freeze_time("2024-01-01", auto_tick_seconds=3600),
    "travelled": lambda: time_machine.travel("2030-01-01", tick=True),
    "travelled and stopped": lambda: time_machine.travel("1999-01-01", tick=False),
}


def ask():
    # Not requests and not httpx, which are mocked here.
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def check(mockbot):
    # A fault by hand, one that ends by time, and the wire.
    mockbot.fault(http_error=500, times=1)
    assert [ask(), ask()] == [500, 200]
    mockbot.fault(http_error=503, lasts=0.5)
    assert ask() == 503
    while ask() == 503:
        pass
    with mockbot.wire.down():
        with pytest.raises(urllib.error.URLError):
            ask()
    assert ask() == 200


@pytest.mark.parametrize("name", CLOCKS)
def test_by_hand(mockbot, name):
    with CLOCKS[name]():
        check(mockbot)


@pytest.mark.parametrize("name", CLOCKS)
def test_outage(mockbot, name):
    with CLOCKS[name](), mockbot.outage(SHORT, speed=1) as outage:
        outage.wait_for("blackout")
        assert (outage.phase, ask()) == ("blackout", 503)
        outage.wait_for("after")
        assert (outage.phase, ask()) == ("after", 200)
    prompts = [each for each in outage.evidence.requests() if hasattr(each, "settled")]
    assert all(0.3 <= each.start <= each.end < 8 for each in prompts)


@pytest.mark.parametrize("name", ["frozen", "travelled and stopped"])
def test_time_moves_within_an_outage(mockbot, name):
    with mockbot.outage(SHORT, speed=1) as outage:
        with CLOCKS[name]():
            outage.wait_for("blackout")
            assert ask() == 503
        outage.wait_for("after")
        assert ask() == 200


def test_mocked(mockbot, respx_mock):
    respx_mock.get("https://other.example/").respond(204)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        mocked.get("https://other.example/", status=204)
        assert requests.get("https://other.example/", timeout=5).status_code == 204
        check(mockbot)
        assert [call.request.url for call in mocked.calls] == ["https://other.example/"]
    assert not respx_mock.calls


def test_the_next_one_is_not_touched(mockbot):
    assert time.time() > 1.7e9
    check(mockbot)
"""


@pytest.mark.timeout(240)
def test_clocks_and_mocks_of_the_suite_are_none_of_the_testbeds_business(pytester: pytest.Pytester) -> None:
    """Nothing hangs, shifts or poisons a later test, and no mock sees a request of the fixture's own."""
    pytester.makeini(INI)
    pytester.makepyfile(SUITE)

    result = pytester.runpytest_subprocess("-q", "-n", "0", "-p", "no:cacheprovider", timeout=200)

    result.assert_outcomes(passed=14)
