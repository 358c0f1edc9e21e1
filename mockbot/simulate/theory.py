"""What theory says about outages: closed forms and small exact chains, numbers in, numbers out. Pure.

Notation: c slots, mean service 1/mu, capacity C = c mu requests/s, queue limit q, client timeout T, arrivals lam/s,
rho = lam/C, N users with think time Z, r seconds between two refreshes, D the length of an outage. Stationary formulas
are exact (Erlang 1917; Kleinrock, Queueing Systems I); the laws of metastability are the fluid limit of a FIFO queue
whose abandoned work continues, checked against the simulation by the tests (Bronson et al., HotOS'21; Huang et al.,
OSDI'22).
"""

import math
from collections.abc import Callable

# -- stationary ------------------------------------------------------------------------------------------------------


def erlang_b(c: int, a: float) -> float:
    """P(blocked) of M/G/c/c at a = lam/mu erlangs, whatever the service law."""
    blocked = 1.0
    for k in range(1, c + 1):
        blocked = a * blocked / (k + a * blocked)
    return blocked


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


# -- retries ---------------------------------------------------------------------------------------------------------


def attempts_per_prompt(p: float, m: int) -> float:
    """Attempts of at most m when each fails with probability p: (1 - p^m) / (1 - p)."""
    return float(m) if p >= 1 else (1 - p**m) / (1 - p)


def hidden_capacity(capacity: float, m: float) -> float:
    """Above this rate of prompts, retries alone can keep the service down: C / m (HotOS'21, section 2.1)."""
    return capacity / m


def can_stick(rho: float, m: float, wait_when_full: float, timeout: float) -> bool:
    """Open loop, at most m attempts, no cancelling: a stuck state exists iff q/C > T and m rho > 1."""
    return wait_when_full > timeout and m * rho > 1


def tipping_surge(capacity: float, surge: float, timeout: float) -> float:
    """Seconds of a surge of so many requests/s after which the FIFO wait passes T: C T / (lam1 - C)."""
    return capacity * timeout / (surge - capacity)


# -- refreshing ------------------------------------------------------------------------------------------------------


def waiting_after(users: float, think: float, outage: float) -> float:
    """How many of N users wait for an answer after D seconds without any: N (1 - e^(-D/Z))."""
    return users * (1 - math.exp(-outage / think)) if think else users


def refresh_safe(users: float, queue: float, capacity: float) -> float:
    """Nothing sticks when everybody waits longer than this between two refreshes: min(N, q)/C."""
    return min(users, queue) / capacity


def refresh_tips(waiting: float, queue: float, capacity: float) -> float:
    """A crash that leaves so many waiting sticks when they refresh faster than this: min(Ns/2, q)/C."""
    return min(waiting / 2, queue) / capacity


def refresh_ends(users: float, think: float, outage: float, capacity: float) -> float:
    """Slower than this, a crash ends although new prompts join those who wait: Ns / (2C - (N - Ns)/Z).

    In the first turn of r seconds Ns come back, and (N - Ns)/Z a second ask anew; the wait at its end is less than r
    when Ns + ((N - Ns)/Z - C) r < C r. Those who ask anew are fewer the longer the outage was.
    """
    waiting = waiting_after(users, think, outage)
    left = 2 * capacity - (users - waiting) / think
    return waiting / left if left > 0 else math.inf


def refreshers_can_stick(capacity: float, every: float, users: float) -> float:
    """The share of refreshers above which a stuck state exists: C r / N."""
    return capacity * every / users


def refreshers_tip(capacity: float, every: float, waiting: float) -> float:
    """The share of refreshers above which a crash that leaves so many waiting tips it: 2 C r / Ns."""
    return 2 * capacity * every / waiting


def backoff_cap_needed(users: float, capacity: float, timeout: float) -> float:
    """The least cap of full jitter, without a limit of tries, that lets a crowd in again: 2 (N/C - T)."""
    return 2 * (users / capacity - timeout)


# -- how long until it is normal -------------------------------------------------------------------------------------


def drain_open(outage: float, rho: float) -> float:
    """An outage that keeps its queue, arrivals whatever happens: D rho / (1 - rho)."""
    return math.inf if rho >= 1 else outage * rho / (1 - rho)


def drain_closed(outage: float, rho: float, think: float) -> float:
    """The same for N users who wait: Z ln((1/rho - e^(-D/Z)) / (1/rho - 1)), rho = N/(Z C)."""
    return math.inf if rho >= 1 else think * math.log((1 / rho - math.exp(-outage / think)) / (1 / rho - 1))


# -- the other provider, and the return ------------------------------------------------------------------------------


def failover_holds(own: float, guests: float, capacity: float, outage: float, timeout: float) -> bool:
    """The other provider survives the guests: (lamA + lamB - C_B) D < C_B T."""
    return (own + guests - capacity) * outage < capacity * timeout


def spread_needed(backlog: float, capacity: float, rate: float) -> float:
    """Seconds over which those who were told to come back must be spread: B / (C - lam)."""
    return math.inf if rate >= capacity else backlog / (capacity - rate)
