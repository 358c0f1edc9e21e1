"""The fast engine: nothing is played before its time, no second is told before it is over, nothing is capped."""

import math
from itertools import pairwise
from typing import Any

import pytest

from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.verdict import judge
from mockbot.scenario.schema import Scenario
from mockbot.simulate.engines import Engine, start
from mockbot.simulate.simulation import Memory, simulate
from tests.simulate.build import NO_THINK, scenario

pytest.importorskip("numba")
pytestmark = [pytest.mark.second, pytest.mark.usefixtures("fast_is_compiled")]

# Everybody reloads, after an outage that keeps its queue: answers end on multiples of 0.1 s, an hour long.
EDGE = Scenario.model_validate(
    {
        "name": "edge14",
        "title": "Everybody reloads, after an outage that keeps its queue",
        "slo": "60s",
        "providers": {
            "main": {
                "slots": 8,
                "queue": {"limit": 32},
                "answer": {"first_token": "700ms", "tokens": {"median": 24, "p95": 40}, "pace": "10/s"},
            }
        },
        "crowd": {
            "reloads": {
                "users": "100%",
                "policy": {"name": "refresh", "every": "14s"},
                "think": "60s",
                "patience": "2h",
            }
        },
        "phases": [
            {"name": "calm", "lasts": "5m", "users": 100},
            {"name": "out", "lasts": "10m", "faults": [{"capacity": "0%"}]},
            {"name": "after", "lasts": "30m"},
        ],
        "expect": [{"group": "reloads", "recovery_time": "<= 15m"}],
    }
)
# So few events that most buckets are empty, the last one of a minute too.
SLOW_THINK: dict[str, Any] = {
    "provider": {"slots": 10, "queue": {"limit": 1000}},
    "group": {"think": "5m", "patience": "2h", "policy": {"name": "once", "timeout": "1h"}},
    "phases": [
        {"name": "calm", "lasts": "5m", "users": 60},
        {"name": "bad", "lasts": "5m", "faults": [{"capacity": "0%"}]},
        {"name": "after", "lasts": "25m"},
    ],
}
LONG: dict[str, Any] = {
    "slo": "10h",
    "provider": {
        "slots": 50,
        "queue": {"limit": 0},
        "answer": {"first_token": 0, "tokens": {"median": 40_000, "p95": 160_000}, "pace": "1000/s"},
    },
    "group": {"users": None, "arrivals": "100%", "policy": {"name": "once", "timeout": "10h"}, "patience": "20h"},
    "phases": [{"name": "all", "lasts": "2h", "arrivals": "0.7/s"}],
}


def _lived(world: Scenario, seed: int, engine: Engine = "fast", pause: float = 60.0) -> tuple[Memory, float]:
    """Played in pieces of `pause` seconds, as far as it goes."""
    memory = Memory()
    run = start(engine, world, seed, memory.take)
    while run.play(run.now + pause):
        pass
    return memory, run.finish()


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_crowd_that_reloads_stays_stuck(seed: int) -> None:
    """As in the reference: never well again. No attempt ends before it began, and no work is negative."""
    memory = Memory()
    info = simulate(EDGE, seed=seed, sink=memory.take, engine="fast")
    attempts = [record for record in memory.requests if isinstance(record, Attempt)]

    assert judge(memory.evidence(EDGE, info)).verdict == "fail"
    assert not [attempt for attempt in attempts if attempt.end < attempt.start or (attempt.first_token or 0.0) < 0]
    assert not [second for second in memory.seconds if second.work < 0 or second.wasted < 0]
    assert sum(each.outcome == "ok" for each in attempts if each.start > 1200) < 0.01 * len(attempts)


def test_what_is_played_is_played_in_order() -> None:
    """The records of a run come in the order of their ends, the one after the other."""
    memory, _ = _lived(EDGE, 1)
    ends = [record.end for record in memory.requests]

    assert all(earlier <= later for earlier, later in pairwise(ends))


@pytest.mark.parametrize("pause", [60.0, 7.3])
def test_no_second_is_told_before_it_is_over(pause: float) -> None:
    """Each has its capacity and its share of the work, though nothing happens in most of them; and none is missing."""
    memory, end = _lived(scenario(**SLOW_THINK), 1, pause=pause)
    seconds = memory.seconds

    assert [second.t for second in seconds] == list(range(int(end)))
    assert {second.t for second in seconds if second.capacity == 0} == set(range(300, 600))
    assert {second.capacity for second in seconds if not 300 <= second.t < 600} == {10.0}
    assert sum(second.work for second in seconds) == pytest.approx(2.0 * sum(second.admitted for second in seconds))


@pytest.mark.parametrize("pause", [1.0, 7.3])
def test_a_run_is_the_same_in_pieces(pause: float) -> None:
    """Where a run is stopped and goes on changes nothing of it, and nothing of a piece is later than its end."""
    world = scenario([{"http_error": 503, "share": "30%"}], group={"policy": "backoff"})
    whole, end = _lived(world, 3)
    memory = Memory()
    run = start("fast", world, 3, memory.take)
    while run.play(run.now + pause):
        assert max((record.end for record in memory.requests), default=0.0) <= run.now + 5e-5

    assert (memory.requests, memory.seconds, run.finish()) == (whole.requests, whole.seconds, end)


def test_long_answers_are_as_long_as_they_are() -> None:
    """A log-normal law with a median of 40,000 tokens: its 95th percentile and its mean, beyond 65,535."""
    memory, _ = _lived(scenario(**LONG), 1)
    lengths = sorted(record.tokens for record in memory.requests if isinstance(record, Attempt) and record.tokens)

    assert lengths[len(lengths) * 95 // 100] == pytest.approx(160_000, rel=0.1)
    assert sum(lengths) / len(lengths) == pytest.approx(40_000 * math.exp(0.5 * (math.log(4) / 1.645) ** 2), rel=0.1)


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_every_visitor_has_an_api_key_of_its_own(engine: Engine) -> None:
    """A fault on 30 % of the keys hits 30 % of those who come, and one request a minute is enough for each of them."""
    phases = [{"name": "bad", "lasts": "300s", "arrivals": "20/s", "faults": [{"http_error": 503, "keys": "30%"}]}]
    world = scenario(
        provider={"limits": {"free": "1/m"}}, group={"users": None, "arrivals": "100%", "policy": "once"}, phases=phases
    )
    memory, _ = _lived(world, 1, engine)
    outcomes = [record.outcome for record in memory.requests if isinstance(record, Attempt)]

    assert outcomes.count("http_error") / len(outcomes) == pytest.approx(0.3, abs=0.03)
    assert "rate_limited" not in outcomes


@pytest.mark.parametrize("engine", ["reference", "fast"])
@pytest.mark.parametrize(("stream", "attempts", "outcome"), [(True, {1}, "slow"), (False, {3}, "timeout")])
def test_a_plain_reader_sees_no_first_token(stream: bool, attempts: set[int], outcome: str, engine: Engine) -> None:
    """An SDK gives up an attempt whose stream has begun, and tries again where nothing had come."""
    policy = {"name": "sdk", "timeout": "1500ms"}
    memory, _ = _lived(scenario(group={"policy": policy, "stream": stream}), 1, engine)
    settled = [each for each in memory.requests if isinstance(each, Prompt) and each.settled == "gave_up"]

    assert {prompt.attempts for prompt in settled} == attempts
    assert {each.outcome for each in memory.requests if isinstance(each, Attempt)} == {outcome}


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_a_slow_answer_that_is_refused_is_not_slow(engine: Engine) -> None:
    """The fault is felt by the requests that get a slot, when they do."""
    world = scenario([{"slow": 2}], provider={"slots": 2, "queue": {"limit": 1}})
    memory, _ = _lived(world, 1, engine)
    bad = [second for second in memory.seconds if 100 <= second.t < 200]

    assert sum(second.refused for second in bad) > 0
    assert abs(sum(s.felt.get("bad.0.slow", 0) for s in bad) - sum(s.admitted for s in bad)) <= 1


def test_more_visitors_than_places_are_let_in() -> None:
    """A hundred thousand who come within seconds, and wait: the memory grows, and each is answered once, in order."""
    world = scenario(
        provider={"slots": 1, "queue": {"limit": 1_000_000}, "abandoned_work": "leaves_queue"},
        group={"users": None, "arrivals": "100%", "policy": {"name": "once", "timeout": "10h"}, "patience": "10h"},
        phases=[
            {"name": "rush", "lasts": "1s", "arrivals": "0/s -> 1000000/s"},
            {"name": "after", "lasts": "10s", "arrivals": 0},
        ],
    )
    memory, _ = _lived(world, 1)
    sampled = [record for record in memory.requests if isinstance(record, Prompt)]
    offered = sum(second.offered for second in memory.seconds)

    assert offered == pytest.approx(500_000, rel=0.01)
    assert len({prompt.id for prompt in sampled}) == len(sampled) == pytest.approx(offered / 5, rel=0.01)
    assert memory.seconds[-1].queued + sum(second.admitted for second in memory.seconds) == offered


def test_who_does_not_think_asks_again_a_millisecond_after_a_refusal() -> None:
    """As the reference has it: the outage of a second goes by."""
    memory, end = _lived(scenario(phases=NO_THINK, group={"think": "0s"}), 1)

    assert end == pytest.approx(5.0, abs=2.0)
    assert len([each for each in memory.requests if isinstance(each, Prompt)]) in range(990, 1010)
