"""A provider of several replicas in virtual time: which of them a user reaches, and what separate queues cost."""

import math
from collections import Counter, defaultdict
from statistics import fmean
from typing import Any

import pytest

from tests.simulate import queueing
from tests.simulate.build import Lived, live_through, scenario

ANSWER = {"first_token": "1s", "tokens": {"median": 1, "p95": 1}, "pace": "1/s"}


def _closed(faults: list[Any], *, replicas: int = 4, users: int = 40, **group: Any) -> Lived:
    """40 users on four replicas with room for all."""
    provider = {"slots": 100, "replicas": replicas, "answer": ANSWER}
    phases = [{"name": "bad", "lasts": "200s", "users": users, "faults": faults}, {"name": "after", "lasts": "20s"}]
    return live_through(scenario(provider=provider, phases=phases, group={"think": "5s"} | group))


def _outcomes_by_user(lived: Lived) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for attempt in lived.during(0, 200):
        found[attempt.prompt.rpartition(".")[0]][attempt.outcome] += 1
    return found


def test_one_bad_host_of_four_is_met_by_the_same_quarter_of_the_users_each_time() -> None:
    """An error leaves the connection open, and the next prompt takes the same one."""
    users = _outcomes_by_user(_closed([{"http_error": 500, "replica": 2}]))

    assert len(users) == 40
    assert sorted(len(outcomes) for outcomes in users.values()) == [1] * 40
    assert sum(outcomes["http_error"] > 0 for outcomes in users.values()) == 10


def test_a_replica_that_never_answers_loses_its_users_to_the_others() -> None:
    """A client that gives up closes its connection, and the next one goes to the replica whose turn it is."""
    lived = _closed([{"stall": "nothing", "replica": 1, "lasts": "150s"}], policy={"name": "once", "timeout": "10s"})
    users = _outcomes_by_user(lived)

    assert sum(outcomes["timeout"] > 0 for outcomes in users.values()) == 10
    assert max(outcomes["timeout"] for outcomes in users.values()) <= 4  # 10, if they stayed


def test_a_crash_of_one_replica_loses_what_it_did_and_no_later_request() -> None:
    """Its users connect anew, and the turns go past it; when it is back it is reached again."""
    lived = _closed([{"crash": True, "replica": 3, "at": "50s", "lasts": "50s"}])
    lost = [attempt for attempt in lived.attempts if attempt.outcome == "reset"]

    assert 0 < len(lost) <= 10
    assert {attempt.end for attempt in lost} == {50.0}
    assert {second.capacity for second in lived.seconds if 51 < second.t < 99} == {300.0}
    assert {second.capacity for second in lived.seconds if second.t > 101} == {400.0}


def test_all_replicas_crashed_is_the_provider_down() -> None:
    """A fault that names no replica is at all of them."""
    assert _closed([{"crash": True, "at": "50s", "lasts": "50s"}]).outcomes(51, 99) == {"reset"}


def test_the_limits_of_a_key_are_each_replica_s_own() -> None:
    """A user that keeps its connection has the limit of one replica, however many there are."""
    world = {"slots": 10, "replicas": 4, "answer": ANSWER, "limits": {"free": "6/m"}}
    phases = [{"name": "all", "lasts": "600s", "users": 1}]
    lived = live_through(scenario(provider=world, phases=phases, group={"think": "1s"}))
    answered = sum(attempt.outcome == "ok" for attempt in lived.attempts)

    assert 60 <= answered <= 66


def test_two_runs_with_one_seed_are_one_run() -> None:
    """Turns and connections are exact, too."""
    first, second = (_closed([{"http_error": 500, "replica": 2, "share": "50%"}]) for _ in range(2))

    assert first.attempts == second.attempts


# -- laws of queues: exponential answers of 1 s, arrivals that ask once, each on a connection of its own ---------------


def _wait(replicas: int, slots: int, rate: float, seed: int) -> float:
    """Mean seconds from the request to the answer, past the warm-up."""
    provider = {"slots": slots, "replicas": replicas, "queue": {"limit": 10_000}, "answer": ANSWER}
    phases = [{"name": "all", "lasts": "4000s", "arrivals": f"{rate:g}/s"}]
    group: dict[str, Any] = {"users": None, "arrivals": "100%", "stream": False, "patience": "2000s"}
    group |= {"policy": {"name": "once", "timeout": "2000s"}}
    lived = live_through(scenario(provider=provider, phases=phases, group=group), seed, lambda u: -math.log(1 - u))
    return fmean(each.end - each.start for each in lived.attempts if each.start > 400 and each.outcome == "ok")


def _in_turn(replicas: int, rate: float) -> float:
    """Mean time in E_k/M/1 with mu = 1: every k-th of a Poisson process comes to a replica (Kleinrock I, 6.4).

    sigma is the root in (0, 1) of sigma = A*(1 - sigma), where A* is the Laplace transform of the time between two.
    """
    sigma = 0.5
    for _ in range(10_000):
        sigma = (rate / (rate + 1 - sigma)) ** replicas
    return 1 / (1 - sigma)


@pytest.mark.second
@pytest.mark.parametrize("rate", [2.4, 3.2])
def test_separate_queues_make_clients_wait_as_the_law_of_turns_says(rate: float) -> None:
    """Longer than with four slots behind one queue (M/M/4), shorter than where chance sends each (four times M/M/1)."""
    seeds = range(1, 7)
    separate = fmean(_wait(4, 1, rate, seed) for seed in seeds)
    pooled = fmean(_wait(1, 4, rate, seed) for seed in seeds)

    assert separate == pytest.approx(_in_turn(4, rate), rel=0.06)
    assert pooled == pytest.approx(queueing.mean_time_open(rate, 1.0, 4), rel=0.06)
    assert pooled < separate < queueing.mean_time_open(rate / 4, 1.0, 1)
