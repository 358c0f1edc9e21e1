"""The fixture beside what other suites use: freezegun, time-machine, respx and responses, which are installed here, and
plugins that would be part of every run of ours: pytest-httpx, vcrpy, pytest-socket, pytest-randomly. (For xdist see
test_suites.)
"""

from pathlib import Path

import pytest

from tests.foreign_environment import packages_in
from tests.pytest_plugin.test_suites import INI

pytestmark = pytest.mark.nightly
pytest_plugins = ["pytester"]

CLIENT = """
import json
import os
import urllib.error
import urllib.request

import pytest


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
        with pytest.raises(OSError, match="refused"):  # vcrpy's stand-in for http.client leaves out URLError
            ask()
    assert ask() == 200
"""
CLOCKS_AND_MOCKS = """
import time

import freezegun
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
    pytester.makepyfile(CLIENT + CLOCKS_AND_MOCKS)

    result = pytester.runpytest_subprocess("-q", "-n", "0", "-p", "no:cacheprovider", timeout=200)

    result.assert_outcomes(passed=14)


# pytest-recording knows these modes of vcrpy; a cassette may not hold a request to the testbed in any of them.
MODES = ("none", "once", "new_episodes", "all", "rewrite")
WITH_CASSETTES = """
import inspect
import subprocess
import sys

ELSEWHERE = "import json, os, urllib.error, urllib.request\\n" + inspect.getsource(ask) + "print(ask())"


@pytest.mark.vcr
def test_a_client_in_another_process(mockbot):
    mockbot.fault(http_error=500, times=1)
    asked = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "500"
    assert [each.status for each in mockbot.requests] == [500]


@pytest.mark.vcr(ignore_localhost=True)
def test_a_client_whose_cassettes_leave_loopback_out(mockbot):
    check(mockbot)
"""
HTTPX = """
import httpx

def test_mocked(mockbot, httpx_mock):
    httpx_mock.add_response(url="https://other.example/", status_code=204)
    check(mockbot)
    assert httpx.get("https://other.example/").status_code == 204
    assert [str(each.url) for each in httpx_mock.get_requests()] == ["https://other.example/"]
"""
SOCKET = """
import socket
import pytest_socket

def test_only_loopback(mockbot):
    check(mockbot)
    with pytest.raises(pytest_socket.SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
"""
RANDOMLY = """
import random

@pytest.mark.parametrize("code", [500, 502, 503, 529])
def test_in_any_order(mockbot, code):
    seeded = random.getstate()  # by the plugin, before each test
    mockbot.fault(http_error=code, times=1)
    assert [ask(), ask()] == [code, 200]
    assert random.getstate() == seeded


def test_another(mockbot):
    check(mockbot)
"""
VCR = ("pytest-recording", "wrapt", "yarl", "multidict", "propcache", "vcrpy")
OTHERS = [
    (("pytest-httpx",), HTTPX, [()], 1),
    (VCR, WITH_CASSETTES, [(f"--record-mode={mode}",) for mode in MODES], 2),
    (("pytest-socket",), SOCKET, [("--disable-socket", "--allow-hosts=127.0.0.1")], 1),
    (("pytest-randomly",), RANDOMLY, [(f"--randomly-seed={seed}",) for seed in (1, 2, 3)], 5),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("packages", "suite", "runs", "passed"), OTHERS, ids=[each[0][-1] for each in OTHERS])
def test_a_plugin_of_the_suite_does_not_see_the_testbed(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    packages: tuple[str, ...],
    suite: str,
    runs: list[tuple[str, ...]],
    passed: int,
) -> None:
    """Whatever it mocks, records, forbids or shuffles: each run passes, and so does the same run once more."""
    monkeypatch.setenv("PYTHONPATH", str(packages_in(pytester.path / "packages", packages)))
    pytester.makeini(INI.replace("filterwarnings = error", ""))  # theirs are not ours
    pytester.makepyfile(CLIENT + suite)

    for options in [*runs, *runs]:
        result = pytester.runpytest_subprocess("-q", "-n", "0", "-p", "no:cacheprovider", *options, timeout=200)
        result.assert_outcomes(passed=passed)

    cassettes = [path.read_text("utf-8") for path in Path(pytester.path).rglob("cassettes/**/*.yaml")]
    assert not [text for text in cassettes if "127.0.0.1" in text]
