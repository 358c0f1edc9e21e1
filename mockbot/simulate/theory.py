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


def refreshers_tip(capacity: float, every: float, waiting: float) -> float:
    """The share of refreshers above which a crash that leaves so many waiting tips it: 2 C r / Ns."""
    return 2 * capacity * every / waiting


# -- how long until it is normal -------------------------------------------------------------------------------------


def drain_open(outage: float, rho: float) -> float:
    """An outage that keeps its queue, arrivals whatever happens: D rho / (1 - rho)."""
    return math.inf if rho >= 1 else outage * rho / (1 - rho)


def drain_closed(outage: float, rho: float, think: float) -> float:
    """The same for N users who wait: Z ln((1/rho - e^(-D/Z)) / (1/rho - 1)), rho = N/(Z C)."""
    return math.inf if rho >= 1 else think * math.log((1 / rho - math.exp(-outage / think)) / (1 / rho - 1))


# -- the other provider, and the return ------------------------------------------------------------------------------


def failover_holds(own: float, diverted: float, capacity: float, outage: float, timeout: float) -> bool:
    """The other provider survives the diverted users: (lamA + lamB - C_B) D < C_B T."""
    return (own + diverted - capacity) * outage < capacity * timeout


def spread_needed(backlog: float, capacity: float, rate: float) -> float:
    """Seconds over which the clients of a backlog must be spread when they return: B / (C - lam)."""
    return math.inf if rate >= capacity else backlog / (capacity - rate)
