"""When somebody new comes: the absolute schedule of an open group, from its rate, its burst and a seed. Pure.

The schedule is fixed before anybody answers, which is what makes a loop open: a slow answer or a late sender shifts no
later arrival.
"""

import math
from collections.abc import Iterator
from itertools import repeat
from random import Random
from typing import Literal

from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline


def arrivals(timeline: Timeline, group: str, seed: int) -> Iterator[float]:
    """Seconds, ascending, of a Poisson process at the timeline's rate, by thinning (Lewis & Shedler 1979).

    With `burst` b it is a batch (compound) Poisson process of that same rate: batches come 1/b as often and their sizes
    are geometric with mean b, so that the variance of the counts is 2b - 1 times their mean (Daley & Vere-Jones, §2.2).
    """
    rng = Random(f"{seed}/{group}/arrivals")
    burst = timeline.scenario.crowd[group].burst
    for start, end, first, last in _stretches(timeline, group):
        most, t = max(first, last), start
        while most > 0 and (t := t + rng.expovariate(most / burst)) < end:
            if first == last or rng.random() * most < first + (last - first) * (t - start) / (end - start):
                yield from repeat(t, _size(rng, burst))


def loop_of(scenario: Scenario) -> Literal["closed", "open", "partly open"]:
    """Whether the crowd waits for answers before it asks again; sessions that arrive are "partly open" (Schroeder,
    Wierman & Harchol-Balter 2006), as is a crowd of both sorts."""
    kinds = {"closed" if group.arrivals is None else _kind(group.session) for group in scenario.crowd.values()}
    if kinds == {"closed"}:
        return "closed"
    return "open" if kinds == {"open"} else "partly open"


def _kind(session: float) -> str:
    return "open" if session == 1 else "partly open"


def _size(rng: Random, mean: float) -> int:
    """Geometric on 1, 2, ...; by inversion."""
    return 1 if mean == 1 else 1 + int(math.log1p(-rng.random()) / math.log1p(-1 / mean))


def _stretches(timeline: Timeline, group: str) -> Iterator[tuple[float, float, float, float]]:
    """(start, end, first rate, last rate) of each phase; in between it goes in a straight line."""
    for phase in timeline.phases:
        first = timeline.at(phase.start).arrivals[group]
        middle = timeline.at((phase.start + phase.end) / 2).arrivals[group]
        yield phase.start, phase.end, first, max(0.0, 2 * middle - first)
