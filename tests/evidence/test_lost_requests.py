"""Requests that never reached their provider are told from requests that it did not answer."""

from collections.abc import Iterable

from mockbot.evidence.lost_requests import LostRequests
from mockbot.evidence.records import Attempt, Engine, Outcome, ServiceSecond
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline

SCENARIO = """
name: calm
title: Calm, an outage, calm
providers: {main: {}}
crowd: {all: {users: 100%, policy: once}}
phases:
  - {name: steady, lasts: 10s, users: 10}
  - {name: outage, lasts: 10s, faults: [FAULT]}
  - {name: after, lasts: 10s}
"""


def found(
    counted: int, lost: Iterable[int], outcome: Outcome, fault: str = "down: true", engine: Engine = "embedded"
) -> list[tuple[str, int, int]]:
    """30 s of ten attempts a second, all counted but `counted` of those in the seconds `lost`, where they fail so."""
    counts = LostRequests(Timeline(read_scenario(SCENARIO.replace("FAULT", f"{{{fault}}}"))), 1.0, engine)
    seconds = set(lost)
    for t in range(30):
        bad = t in seconds
        for n in range(10):
            status = None if bad else 200
            counts.add_attempt(
                Attempt(f"{t}.{n}", 0, "all", "main", t + n / 10, t + 1.0, outcome if bad else "ok", status)
            )
        counts.add_second(ServiceSecond(t, "main", offered=counted if bad else 10))
    return [*counts.found()]


def test_packets_that_were_dropped_are_lost() -> None:
    """From second 25 on nobody is answered, and the provider saw none of these 50 requests."""
    assert found(0, range(25, 30), "timeout", "http_error: 503") == [("main", 50, 25)]


def test_what_may_be_on_its_way_at_an_edge_is_not_called_lost() -> None:
    """As above, but next to a fault that keeps requests away: less one busiest second of ten requests."""
    assert found(0, range(25, 30), "timeout") == [("main", 40, 25)]


def test_a_provider_that_does_not_answer_has_lost_nothing() -> None:
    """It saw every request; so its silence is an outage, whatever its cause."""
    assert found(10, range(25, 30), "timeout") == []


def test_nobody_reaches_a_port_that_a_fault_closes() -> None:
    """Seconds 10 to 20, and one on both sides in which the change is on its way."""
    assert found(0, range(9, 21), "refused") == []
    assert found(0, range(9, 21), "refused", "http_error: 503") == [("main", 120, 9)]


def test_a_fault_that_only_slows_keeps_no_request_away() -> None:
    """Latency on the answers: the requests arrive; on the requests: they may be counted late."""
    assert found(0, range(12, 14), "reset", "latency: 1s") == [("main", 20, 12)]
    assert found(0, range(12, 14), "reset", "latency: 1s, stream: upstream") == []


def test_the_original_toxiproxy_closes_connections_when_a_toxic_ends() -> None:
    """At second 20, up to a second late."""
    assert found(0, [20], "refused", "latency: 1s", "toxiproxy") == []
    assert found(0, range(24, 28), "refused", "latency: 1s", "toxiproxy") == [("main", 30, 24)]


def test_a_few_that_are_counted_a_second_late_are_no_evidence() -> None:
    """100 attempts time out in an overload, and 10 of them are missing at a boundary."""
    assert found(9, range(20, 30), "timeout") == []


def test_a_second_that_is_not_on_record_says_nothing() -> None:
    """A run that was cut short has attempts of its last second, which the service was not asked about any more."""
    counts = LostRequests(Timeline(read_scenario(SCENARIO.replace("FAULT", "{http_error: 503}"))), 1.0)
    for n in range(10):
        counts.add_attempt(Attempt(f"{n}", 0, "all", "main", 5.0, 6.0, "unfinished"))

    assert [*counts.found()] == []
