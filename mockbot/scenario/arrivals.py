"""The schedule of an open group: when new users arrive, from its rate, its burst and a seed. Pure.

The schedule is fixed before any answer, which is what makes a loop open: neither a slow answer nor a late sender delays
a later arrival.
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
    are geometric with mean b, so the variance of the counts is 2b - 1 times their mean (Daley & Vere-Jones, §2.2).
    """
    rng = Random(f"{seed}/{group}/arrivals")
    burst = timeline.scenario.crowd[group].burst
    for phase in timeline.phases:
        # A rate is linear within its phase. Its last value follows from the middle: at the end the next phase begins.
        start, end = phase.start, phase.end
        first = timeline.at(start).arrivals[group]
        last = max(0.0, 2 * timeline.at((start + end) / 2).arrivals[group] - first)
        most, t = max(first, last), start
        while most > 0 and (t := t + rng.expovariate(most / burst)) < end:
            if first == last or rng.random() * most < first + (last - first) * (t - start) / (end - start):
                # Geometric on 1, 2, ... by inversion.
                size = 1 if burst == 1 else 1 + int(math.log1p(-rng.random()) / math.log1p(-1 / burst))
                yield from repeat(t, size)


def loop_of(scenario: Scenario) -> Literal["closed", "open", "partly open"]:
    """Whether users wait for answers before they ask again; arriving sessions, and a crowd of both sorts, are "partly
    open" (Schroeder, Wierman & Harchol-Balter 2006)."""
    if all(group.arrivals is None for group in scenario.crowd.values()):
        return "closed"
    one_prompt_each = all(group.arrivals is not None and group.session == 1 for group in scenario.crowd.values())
    return "open" if one_prompt_each else "partly open"
