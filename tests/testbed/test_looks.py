"""The driver puts the testbed itself on record: every second of every provider, and every look that failed."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.process.process_group import has_ended
from mockbot.proxy.toxiproxy_client import ProxyState
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed import driver as driver_module
from mockbot.testbed import health_check
from mockbot.testbed.driver import Driver
from mockbot.testbed.start import Addresses
from tests.proxy.wire import eventually

TWO = Scenario.model_validate(
    {
        "name": "two",
        "title": "Two providers and no fault",
        "providers": {"a": {}, "b": {}},
        "crowd": {"one": {"users": "100%", "policy": "once"}},
        "phases": [{"name": "calm", "lasts": "600s", "users": 1}],
    }
)
ADDRESSES = Addresses("http://service", "http://proxy", {"a": "", "b": ""}, {}, {"a": "a", "b": "b"}, 1.0)
Answer = Sequence[str] | Exception


class _Hand(Clock):
    """A clock that is set by hand, and moves on by `step` at each reading."""

    __slots__ = ()
    time = 0.0
    step = 0.0

    def now(self) -> float:
        _Hand.time += _Hand.step
        return _Hand.time


class _Service:
    """A service whose seconds end, one provider after the other, while it answers."""

    def __init__(self, ended: Mapping[str, int], troubles: Callable[[], Answer]) -> None:
        self.ended, self._troubles = ended, troubles

    def troubles(self) -> Sequence[str]:
        answer = self._troubles()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def faults(self) -> dict[str, list[str]]:
        return {}

    def seconds(self, since: int) -> tuple[ServiceSecond, ...]:
        return tuple(ServiceSecond(t, name) for name, end in self.ended.items() for t in range(since, end))


class _Proxy:
    def troubles(self) -> list[str]:
        return []

    def states(self) -> dict[str, ProxyState]:
        return {name: ProxyState(name, "127.0.0.1:1", "", enabled=True, toxics=()) for name in ("a", "b")}

    def felt(self, _: str) -> None:
        return None


@pytest.fixture(autouse=True)
def _reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers of ADDRESSES are nowhere."""
    monkeypatch.setattr(health_check, "ask", lambda *_, **__: None)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Action | ServiceSecond]]:
    """The records of looks at a service: what had ended at each, and what it said of itself."""
    _Hand.time, _Hand.step = 0.0, 0.0

    def look(ends: Sequence[Mapping[str, int]], *said: Answer) -> list[Action | ServiceSecond]:
        records: list[Action | ServiceSecond] = []
        answers = iter(said or [[]] * len(ends))
        service = _Service({}, lambda: next(answers))
        monkeypatch.setattr(driver_module, "ServiceControl", lambda *_: service)
        monkeypatch.setattr(driver_module, "ToxicControl", lambda *_: _Proxy())
        driver = Driver(Timeline(TWO), ADDRESSES, records.append)
        driver._clock = _Hand(0.0)
        for service.ended in ends:
            driver._look()
        return records

    return look


def test_a_second_that_ends_between_two_providers_answers_is_not_lost(
    looks: Callable[..., list[Action | ServiceSecond]],
) -> None:
    """`b` closes second 2 while `a` has already answered up to second 1: the next look still gets a's second 2."""
    records = looks([{"a": 2, "b": 3}, {"a": 5, "b": 5}])

    seconds = [(record.provider, record.t) for record in records if isinstance(record, ServiceSecond)]
    assert sorted(seconds) == [(name, t) for name in ("a", "b") for t in range(5)]
    assert not [record for record in records if isinstance(record, Action)]


def test_a_look_that_failed_and_what_the_service_noticed_of_itself_are_on_record(
    looks: Callable[..., list[Action | ServiceSecond]],
) -> None:
    """What it noticed before the first look is of an earlier run; each later trouble is recorded once."""
    none = {"a": 0, "b": 0}
    records = looks([none] * 4, ["old"], TestbedError("does not answer"), *[["old", "stood still"]] * 2)

    errors = [(record.fault, record.does, record.error) for record in records if isinstance(record, Action)]
    assert errors == [("service", "look", "does not answer"), ("service", "look", "stood still")]


def test_a_service_that_fails_three_looks_in_a_row_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two and then an answer are a standstill, after which the run goes on; at the third there is nothing to learn."""
    no = TestbedError("does not answer")
    answers: Iterator[Answer] = iter([no, no, [], no, no, no])
    monkeypatch.setattr(driver_module, "ServiceControl", lambda *_: _Service({}, lambda: next(answers)))
    monkeypatch.setattr(driver_module, "ToxicControl", lambda *_: _Proxy())
    driver = Driver(Timeline(TWO), ADDRESSES, lambda _: None)
    driver._clock = _Hand(0.0)
    broken = []
    for _ in range(6):
        driver._look()
        broken.append(driver.broken)

    assert broken == ["", "", "", "", "", "the service has gone or hangs: does not answer"]


def test_a_look_that_took_long_is_on_record(looks: Callable[..., list[Action | ServiceSecond]]) -> None:
    """A reading of the clock takes 2 s here: the service answered, late."""
    _Hand.step = 2.0
    records = looks([{"a": 0, "b": 0}])

    slow = [record for record in records if isinstance(record, Action) and record.fault == "service"]
    assert slow
    assert all(record.error is None and record.confirmed == record.sent + 2.0 for record in slow)


def test_hits_of_an_earlier_run_at_the_same_proxy_are_not_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy counts for as long as it runs: 7 hits at the beginning and 9 at the next look are 2 of this run."""
    counts, records = iter([{"calm.0.latency": 7}, {"calm.0.latency": 9}]), list[Action | ServiceSecond]()
    proxy = _Proxy()
    monkeypatch.setattr(proxy, "felt", lambda name: next(counts) if name == "a" else None)
    monkeypatch.setattr(driver_module, "ServiceControl", lambda *_: _Service({"a": 1, "b": 1}, list))
    monkeypatch.setattr(driver_module, "ToxicControl", lambda *_: proxy)
    monkeypatch.setattr(_Service, "start_clock", lambda *_: None, raising=False)
    monkeypatch.setattr(Driver, "_run", Driver._look)
    driver = Driver(Timeline(TWO), ADDRESSES, records.append)
    driver.start(_Hand(0.0))
    assert driver._thread is not None
    driver._thread.join()

    felt = {record.provider: record.felt for record in records if isinstance(record, ServiceSecond)}
    assert felt == {"a": {"calm.0.latency": 2}, "b": {}}


def _errors(records: Sequence[Action | ServiceSecond]) -> list[tuple[str, str | None]]:
    return [(record.fault, record.error) for record in records if isinstance(record, Action)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"enabled": False}, "a was disabled"),
        ({"toxics": ("slow",)}, "a has the toxics slow instead of none"),
        ({"listen": "127.0.0.1:2"}, "a was moved to 127.0.0.1:2"),
    ],
)
def test_a_proxy_that_somebody_else_has_changed_is_on_record(
    looks: Callable[..., list[Action | ServiceSecond]],
    monkeypatch: pytest.MonkeyPatch,
    change: Mapping[str, Any],
    why: str,
) -> None:
    """An outage that is not in the timeline would be the client's failure."""
    calm = _Proxy().states()
    states = iter([calm, {**calm, "a": replace(calm["a"], **change)}])
    monkeypatch.setattr(_Proxy, "states", lambda _: next(states))

    [(part, error)] = _errors(looks([{"a": 0, "b": 0}] * 2))

    assert part == "proxy"
    assert error == f"{why}: somebody else has changed it; let nobody else use this testbed"


def test_a_proxy_that_was_deleted_is_on_record(
    looks: Callable[..., list[Action | ServiceSecond]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its control port still answers."""
    monkeypatch.setattr(_Proxy, "states", lambda _: {})

    errors = _errors(looks([{"a": 0, "b": 0}]))

    assert [part for part, _ in errors] == ["proxy", "proxy"]
    assert all(error and "was deleted" in error for _, error in errors)


def test_faults_that_somebody_else_has_set_are_on_record(
    looks: Callable[..., list[Action | ServiceSecond]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service had none of this driver's."""
    monkeypatch.setattr(_Service, "faults", lambda _: {"a": ["other.0.http_error"], "b": []})

    [(part, error)] = _errors(looks([{"a": 0, "b": 0}]))

    assert part == "service"
    assert error is not None and error.startswith("a has the faults other.0.http_error instead of none")  # noqa: PT018


def test_a_process_of_the_testbed_that_has_ended_breaks_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded once; a zombie has ended, too."""
    process, records = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE), list[Action]()
    assert process.stdout is not None
    process.stdout.read()
    monkeypatch.setattr(driver_module, "ServiceControl", lambda *_: _Service({}, list))
    monkeypatch.setattr(driver_module, "ToxicControl", lambda *_: _Proxy())
    driver = Driver(Timeline(TWO), replace(ADDRESSES, processes={"service": process.pid}), records.append)  # type: ignore[arg-type]
    driver._clock = _Hand(0.0)
    eventually(lambda: has_ended(process.pid))

    driver._look()
    driver._look()
    process.communicate()

    assert _errors(records) == [("service", f"its process {process.pid} has ended or was killed")]
    assert driver.broken == "the service ended or was killed while it was needed"
