"""Drive a Capacity in virtual time with Poisson arrivals or a closed crowd, and compare with a closed form."""

import heapq
import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mockbot.service.capacity import Capacity
from mockbot.service.job import Job, Refused
from mockbot.service.per_second_stats import PerSecondStats
from tests.service.values import provider_of

SEEDS = range(1, 7)
PROMPTS = 100_000
WARM = 0.1  # this share of the prompts is not counted

Draw = Callable[[random.Random], float]


def deterministic(_: random.Random) -> float:
    """Always 1."""
    return 1.0


def exponential(rng: random.Random) -> float:
    """Mean 1, scv 1."""
    return rng.expovariate(1.0)


def lognormal(rng: random.Random) -> float:
    """Mean 1, scv 4."""
    return rng.lognormvariate(-math.log(5) / 2, math.sqrt(math.log(5)))


def hyperexponential(rng: random.Random) -> float:
    """Mean 1, scv 4, balanced means."""
    p = (1 + math.sqrt(3 / 5)) / 2
    return rng.expovariate(2 * p if rng.random() < p else 2 * (1 - p))


@dataclass(slots=True)
class Run:
    """What one simulated stretch came to, after the warm-up."""

    jobs: list[Job] = field(default_factory=list)
    blocked: int = 0
    capacity: Capacity | None = None

    @property
    def asked(self) -> int:
        """Everyone who asked."""
        return len(self.jobs) + self.blocked

    def mean(self, of: Callable[[Job], float]) -> float:
        """Over those let in."""
        return statistics.fmean(of(job) for job in self.jobs)


def sojourn(job: Job) -> float:
    """Wait and service."""
    return job.ended - job.asked


def wait(job: Job) -> float:
    """Wait alone."""
    return job.begun - job.asked


def capacity_of(**provider: object) -> Capacity:
    """A Capacity of a provider given as a file would."""
    return Capacity(provider_of(**provider), PerSecondStats("main"))


def open_loop(capacity: Capacity, rate: float, service: Draw, seed: int, patience: Draw | None = None) -> Run:
    """Poisson arrivals; with `patience`, a client leaves so long after it asked unless it is answered first."""
    rng, run, now = random.Random(seed), Run(capacity=capacity), 0.0
    leaves: list[tuple[float, int, Job]] = []
    for n in range(PROMPTS):
        now += rng.expovariate(rate)
        while leaves and leaves[0][0] <= now:
            at, _, job = heapq.heappop(leaves)
            capacity.leave(job, at)
        job = Job(service(rng))
        refused = isinstance(capacity.ask(job, now), Refused)
        capacity.advance(now)
        if patience is not None and not refused:
            heapq.heappush(leaves, (now + patience(rng), n, job))
        if n >= WARM * PROMPTS:
            run.blocked += refused
            if not refused:
                run.jobs.append(job)
    while (at := capacity.next_event()) < math.inf:
        capacity.advance(at)
    return run


def closed_loop(capacity: Capacity, users: int, think: float, service: Draw, seed: int, until: float) -> Iterator[Job]:
    """So many users who think, ask, wait and think again; yields the answered jobs as they end."""
    rng = random.Random(seed)
    asks = [(rng.expovariate(1 / think), n) for n in range(users)]
    heapq.heapify(asks)
    now = 0.0
    while now < until:
        now = min(asks[0][0] if asks else math.inf, capacity.next_event())
        for job in capacity.advance(now):
            if job.state == "done" and isinstance(job.owner, int):
                yield job
                heapq.heappush(asks, (now + rng.expovariate(1 / think), job.owner))
        while asks and asks[0][0] <= now:
            capacity.ask(Job(service(rng), owner=heapq.heappop(asks)[1]), now)


def agrees(samples: Sequence[float], theory: float, tolerance: float) -> str:
    """Empty when the seeds' mean is within the tolerance (relative) and within 3.5 standard errors; else what is
    off.
    """
    mean, error = statistics.fmean(samples), statistics.stdev(samples) / math.sqrt(len(samples))
    off, z = mean / theory - 1, (mean - theory) / error
    if abs(off) <= tolerance and abs(z) <= 3.5:
        return ""
    return f"{mean:.6f} +- {1.96 * error:.6f} against {theory:.6f}: {off:+.2%} (at most {tolerance:.1%}), z = {z:+.2f}"
