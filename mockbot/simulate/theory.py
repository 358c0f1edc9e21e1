"""What theory says about outages: closed forms, numbers in, numbers out. Pure.

Notation: capacity C requests/s, queue limit q, s slots, client timeout T, arrivals lam/s, rho = lam/C, N users with
think time Z, r seconds between two refreshes, D the length of an outage. The laws of metastability are the fluid limit
of a FIFO queue whose abandoned work continues, checked against the simulation by the tests (Bronson et al., HotOS'21;
Huang et al., OSDI'22).
"""

import math

# -- refreshing ------------------------------------------------------------------------------------------------------


def waiting_after(users: float, think: float, outage: float) -> float:
    """How many of N users wait for an answer after D seconds without any: N (1 - e^(-D/Z))."""
    return users * (1 - math.exp(-outage / think)) if think else users


def refresh_safe(users: float, queue: float, slots: float, capacity: float) -> float:
    """Nothing sticks when all users wait longer than this between two refreshes: min(N, q + s)/C.

    A request that is admitted last waits for all that the provider holds: those in the queue and those in the slots.
    """
    return min(users, queue + slots) / capacity


def refresh_tips(waiting: float, queue: float, slots: float, capacity: float) -> float:
    """A crash that leaves so many waiting sticks when they refresh faster than this: min(Ns/2, q + s)/C."""
    return min(waiting / 2, queue + slots) / capacity


# -- how long until it is normal -------------------------------------------------------------------------------------


def drain_open(outage: float, rho: float) -> float:
    """An outage that keeps its queue, arrivals whatever happens: D rho / (1 - rho)."""
    return math.inf if rho >= 1 else outage * rho / (1 - rho)


def drain_closed(outage: float, rho: float, think: float, running: float = 0.0) -> float:
    """The same for N users who wait: Z ln((1/rho - e^(-D/Z)) / (1/rho - 1 + s/N)), rho = N/(Z C).

    `running`: s/N, the share of the users whose answer is being written while the queue drains; they do not ask.
    """
    left = 1 / rho - 1 + running
    return math.inf if left <= 0 else think * math.log((1 / rho - math.exp(-outage / think)) / left)


# -- the other provider, and the return ------------------------------------------------------------------------------


def failover_holds(own: float, diverted: float, capacity: float, outage: float, timeout: float) -> bool:
    """The other provider survives the diverted users: (lamA + lamB - C_B) D < C_B T."""
    return (own + diverted - capacity) * outage < capacity * timeout


def spread_needed(backlog: float, capacity: float, rate: float) -> float:
    """Seconds over which the clients of a backlog must be spread when they return: B / (C - lam)."""
    return math.inf if rate >= capacity else backlog / (capacity - rate)


def herd_peak(waiting: float, users: float, think: float, seconds: float = 1.0) -> float:
    """Requests in the first seconds after the end when all who wait return at that moment: Ns + (N - Ns) S/Z."""
    return waiting + (users - waiting) * seconds / think


# -- more is asked than can be answered ------------------------------------------------------------------------------


def served_blind(capacity: float, rate: float) -> float:
    """The share that a queue without tiers answers of every tier: C'/lambda."""
    return min(1.0, capacity / rate) if rate else 1.0


def served_first(capacity: float, rate: float, first: float) -> tuple[float, float]:
    """(of the tier that goes first, of the others): min(1, C'/lambda1), and what is left for the rest."""
    rest = rate - first
    return served_blind(capacity, first), min(1.0, max(0.0, capacity - first) / rest) if rest else 1.0
