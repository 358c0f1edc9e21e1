"""AWS's experiment on jitter, with our policies as its clients: a hundred of them want to write the same row at once.

Each reads the row, then writes it if nobody wrote in between (optimistic concurrency), over a network of |N(10, 2)| ms
a hop; who loses backs off and reads again. Base 5 ms, cap 2 s. The simulator aws-samples/aws-arch-backoff-simulator
(66cb169), run with 100 repetitions, gives as calls/ms: none 2418/2022, exponential 1849/63289, equal 810/6547, full
796/4919, decorrelated 994/4619. One scenario second stands for one of its milliseconds.
"""

import heapq
from functools import cache
from random import Random

import pytest

from mockbot.clients.policy import AttemptResult, Send
from tests.clients.play import Words, policies

CLIENTS, REPETITIONS = 100, 6
PUBLISHED = {"none": 2418, "exponential": 1849, "equal": 810, "full": 796, "decorrelated": 994}


def _policy(kind: str) -> Words:
    if kind == "none":
        return {"name": "fixed", "attempts": 10**6, "wait": "0s"}
    jitter = "none" if kind == "exponential" else kind
    # Its first failure waits base * 2^1, and its decorrelated jitter begins with the base itself.
    base = "5s" if kind == "decorrelated" else "10s"
    return {"name": "backoff", "attempts": 10**6, "base": base, "cap": "2000s", "jitter": jitter}


def _write_one_row(kind: str, rng: Random) -> tuple[int, float]:
    """Calls until everybody has written, and when that was."""
    shared = policies(_policy(kind), patience="2000h")
    crowd = [shared.new_client(rng) for _ in range(CLIENTS)]
    sends = [client.begin(0.0) for client in crowd]
    events = [(_hop(rng), index, -1) for index in range(CLIENTS)]  # (when, who, the version it read; -1: reads now)
    heapq.heapify(events)
    version, calls, done = 0, 0, 0.0
    while events:
        now, who, read = heapq.heappop(events)
        if read < 0:
            heapq.heappush(events, (now + _hop(rng) + _hop(rng), who, version))
            continue
        calls, told = calls + 1, now + _hop(rng)
        if read == version:
            version, done = version + 1, told
            continue
        move = crowd[who].after(told, AttemptResult("http_error", "main", sends[who].at, 503))
        assert isinstance(move, Send)
        heapq.heappush(events, (move.at + _hop(rng), who, -1))
    return calls, done


def _hop(rng: Random) -> float:
    return abs(rng.normalvariate(10, 2))


@cache
def _mean(kind: str) -> tuple[float, float]:
    runs = [_write_one_row(kind, Random(seed)) for seed in range(REPETITIONS)]
    return sum(calls for calls, _ in runs) / REPETITIONS, sum(time for _, time in runs) / REPETITIONS


@pytest.mark.parametrize("kind", ["none", "exponential", "full", "decorrelated"])
def test_calls_are_as_published(kind: str) -> None:
    """Calls to the server until all hundred have succeeded, within 5 %."""
    assert _mean(kind)[0] == pytest.approx(PUBLISHED[kind], rel=0.05)


def test_jitter_orders_the_policies() -> None:
    """full <= equal < decorrelated < exponential < none (full and equal are nearly the same: 3 %)."""
    full, equal, decorrelated, exponential, none = (
        _mean(kind)[0] for kind in ("full", "equal", "decorrelated", "exponential", "none")
    )

    assert full <= equal * 1.03
    assert equal < decorrelated < exponential < none


def test_jitter_saves_nine_tenths_of_the_time() -> None:
    """All are done in less than a tenth of the time that plain exponential back-off takes."""
    assert _mean("full")[1] < 0.10 * _mean("exponential")[1]
