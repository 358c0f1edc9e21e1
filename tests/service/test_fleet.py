"""A provider of several replicas as real processes: one address, in turn, and one provider to whoever asks."""

import asyncio
import http.client
import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.faults.crash import Crash
from mockbot.faults.http_error import HttpError
from mockbot.process.managed_process import ManagedProcess
from mockbot.process.process_group import has_ended
from mockbot.process.self_watch import SelfWatch
from mockbot.service import fleet as fleet_module
from mockbot.service.control_client import ServiceControl
from mockbot.service.fleet import Fleet
from mockbot.service.replica_place import ReplicaPlace
from tests.service.conftest import Served, body, serving
from tests.service.test_serving import totals, until
from tests.service.values import active, scenario_of

pytestmark = [pytest.mark.live, pytest.mark.second]

QUICK = {"first_token": "1ms", "tokens": {"median": 3, "p95": 3}, "pace": "1000/s"}
FLEET = {"replicas": 3, "slots": 2, "queue": {"limit": 0}, "answer": QUICK, "limits": {"free": "4/m"}}
PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three replicas beside a provider of one process."""
    with serving(tmp_path_factory.mktemp("fleet")) as start:
        yield start(**FLEET, others={"plain": {"answer": QUICK}})


@pytest.fixture
def fleet(started: Served) -> Iterator[Served]:
    """The same, as if it had just begun."""
    started.control.start_clock(Clock.start())
    yield started
    started.control.set_faults("main", [])


Connect = Callable[..., http.client.HTTPConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connections that are kept until the test ends; each is opened by its first request."""
    with ExitStack() as stack:

        def made(served: Served, provider: str = "main") -> http.client.HTTPConnection:
            netloc = urlsplit(served.providers[provider]).netloc
            return stack.enter_context(closing(http.client.HTTPConnection(netloc, timeout=10)))

        yield made


def ask(one: http.client.HTTPConnection, key: str = "k") -> int:
    """The status of an answer."""
    one.request("POST", PATH, body(), {"authorization": f"Bearer {key}", "content-type": "application/json"})
    response = one.getresponse()
    response.read()
    return response.status


def test_replicas_that_begin_beside_one_that_fails_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left behind, though it became ready only after the other one had failed."""
    ended = list[str]()

    class Starting:
        """The first one fails at once, the others need a moment."""

        def __init__(self, *_: object, told: str, handed: list[int]) -> None:
            number = json.loads(told.splitlines()[1])["number"]
            if number == 1:
                raise TestbedError("no memory")
            time.sleep(0.3)
            os.fstat(handed[0])
            self.name = f"replica {number}"

        def close(self) -> None:
            """As the process."""
            ended.append(self.name)

    async def run() -> None:
        fleet = Fleet("main", scenario_of({"main": FLEET}), "127.0.0.1", 0, SelfWatch())
        async with AsyncExitStack() as stack:
            await fleet.open(stack, ReplicaPlace("", Clock.start(), "", "", None))

    monkeypatch.setattr(fleet_module, "ManagedProcess", Starting)
    with pytest.raises(TestbedError, match="no memory"):
        asyncio.run(run())

    assert sorted(ended) == ["replica 2", "replica 3"]


def test_connections_reach_the_replicas_in_turn_and_stay_there(fleet: Served, connect: Connect) -> None:
    """An error of one of three meets every third connection, each time."""
    fleet.break_with(HttpError(http_error=500, replica=2))
    connections = [connect(fleet) for _ in range(6)]

    rounds = [[ask(each, f"k{n}") for n, each in enumerate(connections)] for _ in range(3)]

    assert rounds[0] == rounds[1] == rounds[2]
    assert Counter(rounds[0]) == {200: 4, 500: 2}
    assert rounds[0][:3] == rounds[0][3:]
    assert fleet.control.totals()["felt"] == {"http_error": 6}
    assert totals(fleet)["offered"] == 18
    assert {second.capacity for second in fleet.control.seconds(0) if second.provider == "main"} == {6.0}


def test_each_replica_has_slots_and_limits_of_its_own(fleet: Served, connect: Connect) -> None:
    """A key on one connection has one replica's limit, and on three connections three times as much."""
    one = connect(fleet)
    assert [ask(one) for _ in range(5)] == [200, 200, 200, 200, 429]

    others = [connect(fleet) for _ in range(2)]
    assert [ask(each) for each in others for _ in range(4)] == [200] * 8
    assert ask(connect(fleet)) == 429


def test_a_crash_of_one_resets_its_connections_and_the_turns_go_past_it(fleet: Served, connect: Connect) -> None:
    """The address stays open until the last one has crashed, and all are back after it."""
    before = [connect(fleet) for _ in range(3)]
    assert [ask(each) for each in before] == [200] * 3

    fleet.break_with(Crash(crash=True, replica=1))

    gone = 0
    for each in before:
        try:
            assert ask(each) == 200
        except (ConnectionError, http.client.RemoteDisconnected):
            gone += 1
    assert gone == 1
    assert [ask(connect(fleet), "new") for _ in range(6)] == [200] * 6

    fleet.break_with(Crash(crash=True))
    with pytest.raises(ConnectionRefusedError):
        ask(connect(fleet))

    fleet.break_with()
    assert [ask(connect(fleet), "last") for _ in range(3)] == [200] * 3


def test_whoever_scrapes_one_replica_reads_of_all(fleet: Served, connect: Connect) -> None:
    """Sums; the other provider of the service is not in them."""
    for n in range(4):
        assert ask(connect(fleet), f"k{n}") == 200
    assert ask(connect(fleet, "plain")) == 200

    one = connect(fleet)
    one.request("GET", "/metrics")
    text = one.getresponse().read().decode()

    assert re.search(
        r'^http_requests_total\{path="/v1/chat/completions",provider="main",status="200"\} 4.0$', text, re.M
    )
    assert re.search(r'^mockbot_slots\{provider="main"\} 6.0$', text, re.M)
    assert re.search(r'^mockbot_up\{provider="main"\} 3.0$', text, re.M)
    assert "plain" not in text


def test_every_request_is_on_record_once(fleet: Served, connect: Connect) -> None:
    """With a number of its own, over all replicas and providers, and its replica; an unknown key has one name."""
    fleet.control.record_requests()
    connections = [*(connect(fleet) for _ in range(3)), connect(fleet, "plain")]
    for _ in range(2):
        assert [ask(each, "sk-real") for each in connections] == [200] * 4
    until(lambda: len(fleet.control.requests()[0]) == 8)

    finished, unfinished = fleet.control.requests()

    assert unfinished == ()
    assert sorted(each.number for each in finished) == list(range(min(each.number for each in finished), 8 + min(
        each.number for each in finished)))  # fmt: skip
    assert Counter((each.provider, each.replica) for each in finished) == {
        ("main", 1): 2, ("main", 2): 2, ("main", 3): 2, ("plain", None): 2,
    }  # fmt: skip
    assert len({each.key for each in finished}) == 1
    assert fleet.control.requests(5)[0] == finished[5:]


def _service(folder: Path) -> ManagedProcess:
    told = scenario_of({"main": FLEET}).model_dump_json()
    return ManagedProcess(["mockbot.service", "-", "--lease-stdin"], folder / "service.log", told)


def test_a_replica_that_is_killed_is_told(tmp_path: Path, connect: Connect) -> None:
    """The service does not answer for a part of its provider; the others go on answering clients."""
    with _service(tmp_path) as service:
        control = ServiceControl(service.url)
        replicas = service.ready["replicas"]
        assert isinstance(replicas, dict)
        assert sorted(replicas) == [f"process of replica {number} of main" for number in (1, 2, 3)]
        os.kill(replicas["process of replica 2 of main"], signal.SIGKILL)
        until(lambda: has_ended(replicas["process of replica 2 of main"]))

        with pytest.raises(TestbedError, match="replica 2 of main has ended"):
            control.seconds(0)
        with pytest.raises(TestbedError, match="replica 2 of main has ended"):
            control.troubles()
        providers = service.ready["providers"]
        assert isinstance(providers, dict)
        served = Served(service.url, "", providers, control)
        assert [ask(connect(served), f"k{n}") for n in range(4)] == [200] * 4
        scrape = connect(served)
        scrape.request("GET", "/metrics")
        answer = scrape.getresponse()
        assert answer.status == 503, "a counter that lacked a part would have been reset to Prometheus"
        assert "replica 2 of main has ended" in answer.read().decode()


def test_replicas_end_with_a_service_that_is_killed(tmp_path: Path) -> None:
    """Each holds the read end of a pipe whose only write end the service had."""
    with _service(tmp_path) as service:
        replicas = service.ready["replicas"]
        assert isinstance(replicas, dict)
        os.kill(service.pid, signal.SIGKILL)

        until(lambda: all(has_ended(pid) for pid in replicas.values()))


def test_faults_of_a_replica_cross_the_control_port(fleet: Served) -> None:
    """What holds is told by the service, with the faults that only one replica has."""
    fleet.control.set_faults("main", [active(HttpError(http_error=503, replica=3), id="only.0")])

    assert fleet.control.faults() == {"main": ["only.0"], "plain": []}
    assert json.loads(json.dumps(fleet.control.totals())) == {"felt": {}, "unserved": {}}
