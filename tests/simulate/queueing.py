"""Laws that only the tests of the engines need: numbers in, numbers out. Notation as in mockbot/simulate/theory.py.

c slots, mean service 1/mu. Stationary formulas are exact (Erlang 1917; Kleinrock, Queueing Systems I).
"""

import math
from collections.abc import Callable

import numpy as np

from mockbot.simulate import theory


def erlang_b(c: int, a: float) -> float:
    """P(blocked) of M/G/c/c at a = lam/mu erlangs, whatever the service law."""
    blocked = 1.0
    for k in range(1, c + 1):
        blocked = a * blocked / (k + a * blocked)
    return blocked


def engset(users: int, c: int, load: float) -> float:
    """P(refused) of a request of one of N users, each idle for 1/lam and c slots without a queue: load lam/mu each.

    Who asks sees the others: N - 1 of them (Engset 1918), whatever the laws of thought and service.
    """
    weights = [math.comb(users - 1, k) * load**k for k in range(c + 1)]
    return weights[c] / sum(weights)


def wait_deterministic(c: int, lam: float, service: float) -> float:
    """Mean wait in M/D/c (Crommelin 1932): in D seconds those in a slot go, and those who come meanwhile stay."""
    come = lam * service
    most = c + int(come + 60 * math.sqrt(come) + 60 / (1 - come / c))
    arrive = [math.exp(k * math.log(come) - come - math.lgamma(k + 1)) for k in range(most)]
    law = [1.0] + [0.0] * (most - 1)
    for _ in range(10_000):
        left = [sum(law[: c + 1]), *law[c + 1 :]]
        after = list(np.convolve(left, arrive)[:most])
        total = sum(after)
        after = [each / total for each in after]
        moved, law = max(abs(x - y) for x, y in zip(after, law, strict=True)), after
        if moved < 1e-12:
            break
    return sum(max(0, n - c) * p for n, p in enumerate(law)) / lam


def erlang_c(c: int, a: float) -> float:
    """P(has to wait) of M/M/c, a < c."""
    blocked = erlang_b(c, a)
    return blocked / (1 - (a / c) * (1 - blocked))


def mean_time_open(lam: float, mu: float, c: int) -> float:
    """Mean time to an answer in M/M/c: wait and service."""
    return erlang_c(c, lam / mu) / (c * mu - lam) + 1 / mu


def birth_death(up: Callable[[int], float], down: Callable[[int], float], n: int) -> list[float]:
    """The stationary law of states 0..n of a birth-death chain, in logarithms, so that nothing overflows."""
    logs = [0.0]
    for i in range(1, n + 1):
        logs.append(logs[-1] + math.log(up(i - 1)) - math.log(down(i)))
    most = max(logs)
    weights = [math.exp(x - most) for x in logs]
    total = sum(weights)
    return [weight / total for weight in weights]


def mean_time_closed(users: int, think: float, mu: float, c: int) -> tuple[float, float]:
    """(throughput, mean time to an answer) of N users on c exponential slots: the machine repair model."""
    law = birth_death(lambda i: (users - i) / think, lambda i: min(i, c) * mu, users)
    throughput = sum(min(i, c) * mu * p for i, p in enumerate(law))
    return throughput, sum(i * p for i, p in enumerate(law)) / throughput


def hidden_capacity(capacity: float, m: float) -> float:
    """Above this rate of prompts, retries alone can keep the service down: C / m (HotOS'21, section 2.1)."""
    return capacity / m


def can_stick(rho: float, m: float, wait_when_full: float, timeout: float) -> bool:
    """Open loop, at most m attempts, no cancelling: a stuck state exists iff q/C > T and m rho > 1."""
    return wait_when_full > timeout and m * rho > 1


def tipping_surge(capacity: float, surge: float, timeout: float) -> float:
    """Seconds of a surge of so many requests/s after which the FIFO wait passes T: C T / (lam1 - C)."""
    return capacity * timeout / (surge - capacity)


def refresh_ends(users: float, think: float, outage: float, capacity: float) -> float:
    """Slower than this, a crash ends although new prompts join those who wait: Ns / (2C - (N - Ns)/Z).

    In the first turn of r seconds Ns come back, and (N - Ns)/Z a second ask anew; the wait at its end is less than r
    when Ns + ((N - Ns)/Z - C) r < C r. Those who ask anew are fewer the longer the outage was.
    """
    waiting = theory.waiting_after(users, think, outage)
    left = 2 * capacity - (users - waiting) / think
    return waiting / left if left > 0 else math.inf


def backoff_cap_needed(users: float, capacity: float, timeout: float) -> float:
    """The least cap of full jitter, without a limit of tries, that lets a crowd in again: 2 (N/C - T)."""
    return 2 * (users / capacity - timeout)
