"""The capacity model against closed forms: acceptance targets 1-6 of the outage-dynamics research, and processor
sharing.

Six seeds of 100,000 prompts each in virtual time; a test fails when the mean is outside the tolerance, or more than 3.5
standard errors away. Formulas: Erlang B and C, M/M/c/K, Cosmetatos' M/D/c, Erlang A, the finite source (machine
repair), and M/G/1-PS, whose mean does not depend on the distribution of the work.
"""

import gc
import random
import statistics
from collections.abc import Iterator
from functools import partial

import pytest

from tests.service.queueing import (
    PROMPTS,
    SEEDS,
    WARM,
    Draw,
    agrees,
    capacity_of,
    closed_loop,
    deterministic,
    exponential,
    hyperexponential,
    lognormal,
    open_loop,
    sojourn,
    wait,
)

pytestmark = pytest.mark.nightly

MANY = {"limit": 1_000_000}


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """Half a million live jobs would be scanned over and over for cycles that nobody makes."""
    gc.disable()
    yield
    gc.enable()


def test_1_erlang_c_of_ten_slots() -> None:
    """M/M/10 at 8/s: W = 1.20459, P(wait) = .40918."""
    runs = [open_loop(capacity_of(slots=10, queue=MANY), 8, exponential, seed) for seed in SEEDS]

    assert not agrees([run.mean(sojourn) for run in runs], 1.20459, 0.01)
    assert not agrees([run.mean(lambda job: wait(job) > 0) for run in runs], 0.40918, 0.03)


def test_1_erlang_c_of_a_hundred_slots() -> None:
    """M/M/100 at 90/s: W = 1.02169."""
    runs = [open_loop(capacity_of(slots=100, queue=MANY), 90, exponential, seed) for seed in SEEDS]

    assert not agrees([run.mean(sojourn) for run in runs], 1.02169, 0.01)


def test_2_a_bounded_queue_blocks_as_m_m_c_k() -> None:
    """M/M/10/30 at 12/s: P(block) = .168637; the wait of those let in is 1.53456."""
    runs = [open_loop(capacity_of(slots=10, queue={"limit": 20}), 12, exponential, seed) for seed in SEEDS]

    assert not agrees([run.blocked / run.asked for run in runs], 0.168637, 0.015)
    assert not agrees([run.mean(wait) for run in runs], 1.53456, 0.015)


def test_2_an_overloaded_service_works_at_capacity() -> None:
    """M/M/100/300 at 130/s: P(block) = .230769, and 99.99-100 % of the slots are busy."""
    runs = [open_loop(capacity_of(slots=100, queue={"limit": 200}), 130, exponential, seed) for seed in SEEDS]

    assert not agrees([run.blocked / run.asked for run in runs], 0.230769, 0.02)
    for run in runs:
        assert run.capacity is not None
        busy = [second.work for second in run.capacity.stats.seconds() if 60 <= second.t < 700]
        assert statistics.fmean(busy) == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize("service", [deterministic, exponential, lognormal, hyperexponential])
def test_3_erlang_b_is_insensitive(service: Draw) -> None:
    """M/G/10/10 at 8/s: P(block) = .121661 whatever the distribution."""
    runs = [open_loop(capacity_of(slots=10, queue={"limit": 0}), 8, service, seed) for seed in SEEDS]

    assert not agrees([run.blocked / run.asked for run in runs], 0.121661, 0.025)


def test_4_deterministic_work_waits_less() -> None:
    """M/D/10 at 8/s: Wq = .10999 (Cosmetatos, an approximation: z is against the tolerance's edge, not the value)."""
    waits = [open_loop(capacity_of(slots=10, queue=MANY), 8, deterministic, seed).mean(wait) for seed in SEEDS]

    assert statistics.fmean(waits) == pytest.approx(0.10999, rel=0.06)


def test_4_impatient_clients_abandon_as_erlang_a() -> None:
    """M/M/10+M at 12/s, patience 2 s in the queue: P(abandon) = .195656, Lq = 4.695743."""
    runs = []
    for seed in SEEDS:
        capacity = capacity_of(slots=10, queue=MANY, abandoned_work="leaves_queue")
        runs.append(open_loop(capacity, 12, exponential, seed, patience=lambda rng: rng.expovariate(0.5)))

    assert not agrees([run.mean(lambda job: job.state == "left") for run in runs], 0.195656, 0.02)
    queue = [run.mean(lambda job: job.ended - job.asked if job.state == "left" else wait(job)) * 12 for run in runs]
    assert not agrees(queue, 4.695743, 0.03)


def test_5_zombies_make_timeouts() -> None:
    """M/M/10/30 at 12/s, clients gone after 3 s, work going on: P(refused or late) = .39703."""

    def late(seed: int) -> float:
        run = open_loop(capacity_of(slots=10, queue={"limit": 20}), 12, exponential, seed, patience=lambda _: 3.0)
        return (run.blocked + sum(sojourn(job) > 3 for job in run.jobs)) / run.asked

    assert not agrees([late(seed) for seed in SEEDS], 0.39703, 0.015)


def test_6_a_closed_loop_is_a_finite_source() -> None:
    """200 users who think 10 s at 15 slots: X = 14.99603/s, W = 3.33686 s."""
    rates, times = [], []
    for seed in SEEDS:
        jobs = list(closed_loop(capacity_of(slots=15, queue={"limit": 200}), 200, 10, exponential, seed, 7000))
        steady = [job for job in jobs if job.ended > 500]
        rates.append(len(steady) / 6500)
        times.append(statistics.fmean(map(sojourn, steady)))

    assert statistics.fmean(rates) == pytest.approx(14.99603, rel=0.005)
    assert not agrees(times, 3.33686, 0.02)


@pytest.mark.parametrize("slots", [10, 12])
@pytest.mark.parametrize("fate", ["continues", "leaves_queue", "stops"])
def test_6_littles_law_holds_in_every_pool(slots: int, fate: str) -> None:
    """On the stats itself: mean in the slots = admitted/s x mean time there, mean in the queue = joined/s x mean
    wait.
    """
    capacity = capacity_of(slots=slots, queue={"limit": 20}, abandoned_work=fate)
    run = open_loop(capacity, 9, exponential, 1, patience=partial(_patience, 4.0))
    seconds = [second for second in capacity.stats.seconds() if WARM * PROMPTS / 9 < second.t < PROMPTS / 9 - 50]

    admitted = sum(second.admitted for second in seconds) / len(seconds)
    in_slots = statistics.fmean(job.ended - job.begun for job in run.jobs if job.begun == job.begun)
    joined = (run.asked - run.blocked) / (PROMPTS * (1 - WARM)) * 9
    in_queue = statistics.fmean((job.begun if job.begun == job.begun else job.ended) - job.asked for job in run.jobs)

    assert statistics.fmean(second.work for second in seconds) == pytest.approx(admitted * in_slots, rel=0.01)
    assert statistics.fmean(second.running for second in seconds) == pytest.approx(admitted * in_slots, rel=0.01)
    whole = statistics.fmean(second.running + second.queued for second in seconds)
    assert whole == pytest.approx(admitted * in_slots + joined * in_queue, rel=0.01)


def _patience(mean: float, rng: random.Random) -> float:
    return rng.expovariate(1 / mean)


@pytest.mark.parametrize("service", [deterministic, exponential, lognormal])
def test_processor_sharing_is_insensitive(service: Draw) -> None:
    """M/G/1-PS at 70 %: W = S / (1 - rho) = 3.3333 whatever the distribution of the work."""
    runs = [open_loop(capacity_of(slots=100_000, answer={"slowdown_from": 1}), 0.7, service, seed) for seed in SEEDS]

    assert not agrees([run.mean(sojourn) for run in runs], 1 / (1 - 0.7), 0.02)


def test_processor_sharing_is_fair() -> None:
    """Short and long answers are slowed by the same factor, 1 / (1 - rho)."""
    runs = [
        open_loop(capacity_of(slots=100_000, answer={"slowdown_from": 1}), 0.5, exponential, seed) for seed in SEEDS
    ]

    for low, high in ((0.2, 0.6), (0.8, 1.2), (2.0, 3.0)):
        slowdowns = [
            statistics.fmean(sojourn(job) / job.work for job in run.jobs if low < job.work < high) for run in runs
        ]
        assert not agrees(slowdowns, 2.0, 0.02)
