"""The driver beside a proxy whose control port no longer answers: it ends in time, and every change is on record."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import psutil
import pytest

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.process.control_port import ask
from mockbot.process.held_port import held_port
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.driver import Driver
from mockbot.testbed.start import Addresses, ProxyChoice, open_testbed
from tests.proxy.conftest import toxiproxy as toxiproxy  # noqa: PLC0414 - a fixture
from tests.proxy.wire import eventually

pytestmark = pytest.mark.live
SLOW, GONE, LATE, REFUSED = "bad.0.latency", "bad.1.down", "bad.2.timeout", "bad.3.http_error"
WIRE = (SLOW, GONE, LATE)
SCENARIO = Scenario.model_validate(
    {
        "name": "hung",
        "title": "Three faults on the wire and one in the service",
        "providers": {"main": {}},
        "crowd": {"one": {"users": "100%", "policy": "once"}},
        "phases": [
            {
                "name": "bad",
                "lasts": "600s",
                "users": 1,
                "faults": [{"latency": "1s"}, {"down": True}, {"timeout": "0s"}, {"http_error": 503, "at": "1s"}],
            }
        ],
    }
)
Records = list[Action | ServiceSecond]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with open_testbed(SCENARIO, 1.0, tmp_path_factory.mktemp("stage")) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def deaf() -> Iterator[socket.socket]:
    """A control port that takes every connection and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def calls(server: socket.socket) -> int:
    """Connections that were made to it since the last count."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def actions(records: Records) -> list[Action]:
    return [record for record in records if isinstance(record, Action)]


@dataclass(frozen=True, slots=True)
class Played:
    """What was left of a driver's life in front of a deaf proxy."""

    broken: str
    records: Records
    calls: int


@pytest.fixture(scope="module")
def played(stage: Addresses, deaf: socket.socket) -> Played:
    """From the first second until the last fault had begun, and stopped."""
    records: Records = []
    driver = Driver(Timeline(SCENARIO), replace(stage, proxy_control=url_of(deaf)), records.append)
    driver.start(Clock.start())
    assert eventually(lambda: REFUSED in [action.fault for action in actions(records)], 60)
    driver.stop()
    return Played(driver.broken, records, calls(deaf))


@pytest.mark.second
def test_a_deaf_control_port_is_asked_once(played: Played) -> None:
    """The first change waits for its limit; the five that follow, and every look in between, are not even tried."""
    assert "did not answer" in played.broken
    assert played.calls == 1


@pytest.mark.second
def test_every_change_at_a_deaf_control_port_is_on_record_as_failed(played: Played) -> None:
    """One begin and one end for each fault of the wire, none of them confirmed; the service's own goes on."""
    records = played.records

    failed = [(action.fault, action.does) for action in actions(records) if action.confirmed is None]
    done = [(action.fault, action.does) for action in actions(records) if action.confirmed is not None]
    assert sorted(failed) == sorted((fault, does) for fault in WIRE for does in ("begin", "end"))
    assert done == [(REFUSED, "begin"), (REFUSED, "end")]
    assert all("did not answer" in (action.error or "") for action in actions(records) if action.fault in WIRE)


@pytest.mark.second
def test_what_the_service_saw_is_on_record_beside_a_deaf_proxy(played: Played) -> None:
    """A proxy that cannot be asked takes nothing else with it."""
    assert [record for record in played.records if isinstance(record, ServiceSecond)]


@pytest.mark.parametrize("faults", [[], [{"http_error": 503}]], ids=["calm", "a fault holds"])
def test_a_provider_that_no_client_reaches_is_the_testbeds_failure(tmp_path: Path, faults: list[object]) -> None:
    """Its control ports answer, its own port refuses: at the third look there is nothing to learn about a client.

    While a fault holds, a client may be kept away by it, so that nothing is said before its end.
    """
    phase = {"name": "calm", "lasts": "600s", "users": 1, "faults": faults}
    scenario = Scenario.model_validate({**SCENARIO.model_dump(mode="json"), "phases": [phase]})
    records: Records = []
    with held_port() as port, open_testbed(scenario, 1.0, tmp_path) as addresses:
        nowhere = replace(addresses, providers={"main": f"http://127.0.0.1:{port}"})
        driver = Driver(Timeline(scenario), nowhere, records.append)
        driver.start(Clock.start())
        assert eventually(lambda: bool(driver.broken) or len(records) - len(actions(records)) >= 4, 60)
        driver.stop()

    looks = [action for action in actions(records) if action.does == "look"]
    assert [action.fault for action in looks] == (1 if faults else 3) * ["way to main"]
    assert driver.broken == ("" if faults else f"the way to main has gone or hangs: {looks[-1].error}")


@pytest.mark.second
@pytest.mark.parametrize("engine", ["embedded", "toxiproxy"])
def test_faults_of_the_handshake_are_applied_counted_and_guarded(
    toxiproxy: Path, tmp_path: Path, engine: Literal["embedded", "toxiproxy"]
) -> None:
    """Begun and ended with confirmation, behind either proxy; each handshake is a hit, and a foreign hand is seen."""
    calm = {"name": "calm", "lasts": "1s", "users": 1}
    phases = [calm, {"name": "bad", "lasts": "3s", "faults": [{"tls": "refused"}]}, {**calm, "name": "after"}]
    scenario = Scenario.model_validate({**SCENARIO.model_dump(mode="json"), "phases": phases})
    records: Records = []
    with open_testbed(scenario, 1.0, tmp_path, ProxyChoice(engine)) as addresses:
        driver, interceptor = (
            Driver(Timeline(scenario), addresses, records.append),
            InterceptorControl(addresses.interceptor),
        )
        driver.start(Clock.start())
        assert eventually(lambda: interceptor.faults() == {"main": ["bad.0.tls"]}, 20)
        with pytest.raises(ConnectionError, match=r"(?i)handshake.failure"):
            ask(addresses.providers["main"], "GET", "/v1/models", authority=addresses.authority)
        interceptor.set_faults("main", (), 1.0)
        assert eventually(lambda: any(action.does == "look" for action in actions(records)), 20)
        driver.stop()

    changes = [(each.fault, each.does) for each in actions(records) if each.confirmed is not None]
    assert changes == [("bad.0.tls", "begin"), ("bad.0.tls", "end")]
    assert sum(each.felt.get("bad.0.tls", 0) for each in records if isinstance(each, ServiceSecond)) == 1
    errors = [action.error or "" for action in actions(records) if action.fault == "interceptor"]
    assert errors
    assert all("main has the faults none instead of bad.0.tls" in error for error in errors)


@pytest.mark.second
def test_a_toxiproxy_that_stops_running_does_not_hold_up_the_end(toxiproxy: Path, tmp_path: Path) -> None:
    """SIGSTOP in the middle: the ends of its faults fail with the reason, the stage comes down, nothing is left."""
    records: Records = []
    with open_testbed(SCENARIO, 1.0, tmp_path, ProxyChoice("toxiproxy")) as addresses:
        server = the_server_of(addresses)
        driver = Driver(Timeline(SCENARIO), addresses, records.append)
        driver.start(Clock.start())
        assert eventually(lambda: REFUSED in [action.fault for action in actions(records)], 20)
        server.suspend()
        driver.stop()

    ends = {action.fault: action.error for action in actions(records) if action.does == "end"}
    assert {fault for fault, error in ends.items() if error} == set(WIRE)
    assert "did not answer" in driver.broken
    assert eventually(lambda: not server.is_running(), 5)


def the_server_of(addresses: Addresses) -> psutil.Process:
    """The Toxiproxy at this control port, a child of our watchdog."""
    port = addresses.proxy_control.rpartition(":")[2]
    below = psutil.Process().children(recursive=True)
    return next(each for each in below if each.cmdline()[-1:] == [port])


@pytest.mark.second
def test_a_stage_on_a_deaf_toxiproxy_does_not_come_up(deaf: socket.socket, tmp_path: Path) -> None:
    """Nothing has begun yet, so it is an error of the testbed, in time and with the reason."""
    wire = ProxyChoice("toxiproxy", url_of(deaf))

    with pytest.raises(TestbedError, match="did not answer"), open_testbed(SCENARIO, 1.0, tmp_path, wire):
        raise AssertionError("it came up")
