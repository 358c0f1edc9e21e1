"""What a simulated client sees of a broken wire is what a live one sees through the proxy."""

from typing import Any

import pytest

from mockbot.faults import FAULTS
from tests.simulate.build import live_through, scenario

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"down": True}, "refused"),
    ({"timeout": 0}, "timeout"),
    ({"timeout": "3s"}, "closed"),
    ({"timeout": 0, "stream": "upstream"}, "timeout"),
    ({"reset_peer": "1s"}, "reset"),
    ({"limit_data": 1500}, "closed"),
    ({"latency": "25s"}, "timeout"),
    ({"crash": True}, "reset"),
    ({"bandwidth": "1000/s"}, "ok"),
    ({"slicer": {"average_size": 64, "delay": "10ms"}}, "ok"),
    ({"slow_close": "1s"}, "ok"),
]
LONG = [
    {"name": "calm", "lasts": "100s", "users": 20},
    {"name": "bad", "lasts": "1000s", "faults": [{"reset_peer": 0, "share": "30%"}]},
]


@pytest.mark.parametrize(("fault", "outcome"), BROKEN)
def test_a_broken_wire_shows_in_the_outcome(fault: dict[str, Any], outcome: str) -> None:
    """Attempts sent while it holds end as they would through Toxiproxy; before and after all is well."""
    lived = live_through(scenario([fault]))

    assert lived.outcomes(0, 75) == {"ok"}
    assert lived.outcomes(101, 175) == {outcome}
    assert lived.outcomes(201, 280) == {"ok"}


def test_a_connection_that_was_there_before_the_toxic_is_closed_and_not_reset() -> None:
    """As in Toxiproxy, where reset_peer makes a reset of the end of those connections only that it was there for."""
    outcomes = live_through(scenario([{"reset_peer": "1s", "stream": "upstream"}])).outcomes

    assert (outcomes(101, 175), outcomes(125, 175)) == ({"closed", "reset"}, {"reset"})


def _first_and_last(fault: dict[str, Any]) -> tuple[list[float], list[float]]:
    """(seconds to the first token, seconds to the end) of the answers that came while it held."""
    seen = [attempt for attempt in live_through(scenario([fault])).during(105, 170) if attempt.outcome == "ok"]
    return [attempt.first_token or 0.0 for attempt in seen], [attempt.end - attempt.start for attempt in seen]


def test_latency_delays_everything_by_as_much_and_its_jitter() -> None:
    """1 s +- 200 ms on a first token at 1 s and an end at 2 s."""
    first, last = _first_and_last({"latency": {"latency": "1s", "jitter": "200ms"}})

    assert 1.8 <= min(first) < 1.9
    assert 2.1 < max(first) <= 2.2 + 1e-3
    assert 2.8 <= min(last) < max(last) <= 3.2 + 1e-3


def test_bandwidth_makes_an_answer_as_long_as_its_bytes_take() -> None:
    """At 1000 bytes/s a head of 600 and the first words come at least 0.6 s late."""
    first, _ = _first_and_last({"bandwidth": "1000/s"})

    assert min(first) > 1.6


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        ({"timeout": "1s"}, 1.0),
        ({"reset_peer": "1s", "stream": "upstream"}, 1.0),
        ({"reset_peer": "1s"}, 2.0),  # a second after the first byte, which comes after another (reset_peer.go)
    ],
)
def test_a_connection_is_torn_down_when_it_says(fault: dict[str, Any], after: float) -> None:
    """Whatever the answer would have taken."""
    lasted = [round(a.end - a.start, 3) for a in live_through(scenario([fault])).during(105, 170)]

    assert set(lasted) == {after}


def test_a_share_of_the_connections_is_lost() -> None:
    """Toxicity 30 % is of connections: 20 users try until each has a good one and keeps it, 20 * 0.3/0.7 = 9 resets."""
    outcomes = [attempt.outcome for attempt in live_through(scenario(phases=LONG)).during(100, 1100)]

    assert 2 <= outcomes.count("reset") <= 20
    assert set(outcomes) == {"ok", "reset"}


def test_nobody_connects_while_it_is_down_and_who_is_connected_is_reset() -> None:
    """Refused in no time; the attempts that were under way end at that moment."""
    lived = live_through(scenario([{"down": True}]))
    cut = [attempt for attempt in lived.during(97, 100) if attempt.end >= 100]

    assert {(attempt.outcome, attempt.end) for attempt in cut} == {("reset", 100.0)}
    assert {attempt.end - attempt.start for attempt in lived.during(100, 199)} == {0.0}


def test_every_fault_of_the_wire_says_that_it_was_felt() -> None:
    """The provider's seconds count those whom a toxic has touched."""
    felt = [second.felt for second in live_through(scenario([{"latency": "1s"}])).seconds]

    assert sum(counts.get("bad.0.latency", 0) for counts in felt) > 0


def test_every_fault_of_the_wire_is_tried_here() -> None:
    """None is simulated without a test that names it."""
    assert {fault.kind for fault in FAULTS if fault.layer == "wire"} <= {name for fault, _ in BROKEN for name in fault}
