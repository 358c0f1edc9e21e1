"""Whole outages around a client, through the fixture."""

import time
from http.client import HTTPConnection
from types import SimpleNamespace
from urllib.parse import urlsplit

import openai
import pytest
import requests

from mockbot.errors import UsageError
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.pytest_plugin.outage import Outage
from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.load import read_scenario
from mockbot.scenario.schema import Scenario
from tests.pytest_plugin.conftest import Ask

pytestmark = pytest.mark.live
SHORT = Scenario.model_validate(
    {
        "name": "short",
        "title": "Made in Python",
        "providers": {"main": {"answer": {"first_token": 0.01, "pace": 1000.0}}, "other": {}},
        "crowd": {"all": {"users": 1.0, "policy": "once"}},
        "phases": (
            {"name": "calm", "lasts": 0.3, "users": 1},
            {"name": "blackout", "lasts": 1.0, "faults": ({"http_error": 503},)},
            {"name": "after", "lasts": 5.0},
        ),
    }
)


def test_the_issues_own_example(mockbot: Mockbot, ask: Ask) -> None:
    """A bundled outage: the client meets the blackout, then the recovery, and has behaved."""
    with mockbot.outage("unexpected-failure", speed=300) as outage:
        outage.wait_for("blackout")
        with pytest.raises(Exception, match=r"503|reset|Connection|timed out"):
            ask(timeout=2).raise_for_status()
        outage.wait_for("after")
        assert ask().ok
    outage.assert_resilient()


def test_a_long_outage_is_shortened_as_on_the_command_line(mockbot: Mockbot, ask: Ask) -> None:
    """`length`: the phases shrink, the client's clock does not, and the report says so."""
    with mockbot.outage("unexpected-failure", speed=50, length="100s") as outage:
        outage.wait_for("blackout")
        with pytest.raises(requests.RequestException):
            ask(timeout=2).raise_for_status()

    assert outage.timeline.end == pytest.approx(100)
    assert outage.judgement().run.shortened == "shortened from 50m to 1m40s"


def test_a_client_made_before_the_outage_is_in_it(mockbot: Mockbot) -> None:
    """The address stays the same, so it does not matter when an application makes its client."""
    with openai.OpenAI(max_retries=0) as client:
        with mockbot.outage(SHORT, speed=1) as outage:
            outage.wait_for("blackout")
            with pytest.raises(openai.InternalServerError):
                client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])

    assert answer.choices[0].message.content


def test_a_suite_that_stops_time_and_mocks_requests_changes_nothing(
    mockbot: Mockbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As freezegun and responses do it: the outage goes on, its faults begin, and the wall clock is none of its
    business.
    """
    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, lambda: 1_000_000_000.0)
    monkeypatch.setattr(requests.Session, "send", lambda *_, **__: pytest.fail("the control went through a mock"))
    url = urlsplit(mockbot.url)
    with mockbot.outage(SHORT) as outage:
        outage.wait_for("blackout")
        client = HTTPConnection(url.hostname or "", url.port, timeout=10)
        client.request("POST", "/v1/chat/completions", "{}", {"content-type": "application/json"})
        status = client.getresponse().status
        client.close()
        phase = outage.phase

    assert (status, phase) == (503, "blackout")


def test_what_speed_does_to_a_clients_clock_is_said_where_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout of 10 s is ten minutes of the outage."""
    failed = SimpleNamespace(verdict="fail", reasons=["one"])
    monkeypatch.setattr(Outage, "judgement", lambda _: failed)
    outage = object.__new__(Outage)
    outage.scenario, said = SHORT, {}
    for speed in (1, 60):
        outage.speed = speed
        with pytest.raises(AssertionError) as raised:
            outage.assert_resilient()
        said[speed] = str(raised.value).splitlines()[1:]

    assert said[1] == ["  - one"]
    assert said[60][1].startswith("  - at speed 60 a second of the client's own clock is 1m here")


def test_an_impatient_client_is_not_resilient(mockbot: Mockbot, ask: Ask) -> None:
    """The findings come with their evidence."""
    with mockbot.outage(SHORT, speed=1) as outage:
        outage.wait_for("blackout")
        while not ask().ok:
            pass
        outage.wait_for("after")

    with pytest.raises(AssertionError, match="retries_without_end of group command: expected == 0, saw 1"):
        outage.assert_resilient()


@pytest.mark.outage(
    SHORT, speed=1, start_at="blackout", resilient=True, allow=["does_not_back_off", "retries_without_end"]
)
def test_a_marked_test_may_allow_what_its_client_does(ask: Ask) -> None:
    """As `--allow` of `mockbot run`."""
    while not ask().ok:
        pass


def test_an_outage_that_is_left_too_early_is_undecided(mockbot: Mockbot, ask: Ask) -> None:
    """One error was felt, but whether the client lives through the rest is not known."""
    with mockbot.outage(SHORT, speed=1) as outage:
        outage.wait_for("blackout")
        ask()

    with pytest.raises(pytest.fail.Exception, match=r"INCONCLUSIVE: [^\0]*the client left at"):
        outage.assert_resilient()


def test_it_can_begin_where_it_gets_interesting(mockbot: Mockbot, ask: Ask) -> None:
    """start_at: the phases before are left out, and the faults are in place when the block begins."""
    with mockbot.outage(SHORT, start_at="blackout", speed=1) as outage:
        status = ask().status_code
        outage.wait_for("after")

        assert (status, outage.phase) == (503, "after")


def test_waiting_for_the_past_is_an_error(mockbot: Mockbot, ask: Ask) -> None:
    """A test that waits in the wrong order would otherwise assert on the wrong phase."""
    with mockbot.outage(SHORT, speed=1, start_at="blackout") as outage:
        ask()
        outage.wait_for("after")
        with pytest.raises(UsageError, match="blackout is over already"):
            outage.wait_for("blackout")
        with pytest.raises(UsageError, match="no phase 'blackot'; there are blackout, after"):
            outage.wait_for("blackot")


async def test_a_coroutine_waits_without_blocking(mockbot: Mockbot) -> None:
    """async with: the test's loop goes on while it waits."""
    async with openai.AsyncOpenAI(max_retries=1) as client, mockbot.outage(SHORT, speed=1) as outage:
        await outage.wait_for("blackout")
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        await outage.wait_for("after")


@pytest.mark.outage(SHORT, speed=1, start_at="blackout", resilient=True)
def test_a_marked_test_is_in_the_outage(ask: Ask) -> None:
    """The marker is enough; the client is judged when the test is over."""
    status = ask().status_code
    while status == 503:
        import time  # noqa: PLC0415

        time.sleep(0.4)
        status = ask(f"question after {status}").status_code

    assert status == 200


def test_a_scenario_made_in_python_can_be_written_down() -> None:
    """The same frozen models, and back from YAML as the same value."""
    assert read_scenario(scenario_yaml(SHORT)) == SHORT


def test_an_outage_is_played_once(mockbot: Mockbot, ask: Ask) -> None:
    """Evidence of two plays in one object would be nobody's."""
    outage = mockbot.outage(SHORT, speed=1, start_at="blackout")
    with outage:
        ask()
    with pytest.raises(UsageError, match="played once"), outage:
        pass


def test_faults_by_hand_do_not_mix_with_an_outage(mockbot: Mockbot, ask: Ask) -> None:
    """The scenario says all that is wrong while it is played."""
    with mockbot.outage(SHORT, speed=1, start_at="blackout"):
        ask()
        with pytest.raises(UsageError, match="an outage is being played"):
            mockbot.fault(http_error=500)
