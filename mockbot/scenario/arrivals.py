"""When somebody new comes: the absolute schedule of an open group, from its rate and a seed. Pure.

The schedule is fixed before anybody answers, which is what makes a loop open: a slow answer or a late sender shifts no
later arrival.
"""

from collections.abc import Iterator
from random import Random

from mockbot.scenario.timeline import Timeline


def arrivals(timeline: Timeline, group: str, seed: int) -> Iterator[float]:
    """Seconds, ascending, of a Poisson process at the timeline's rate, by thinning (Lewis & Shedler 1979)."""
    rng = Random(f"{seed}/{group}/arrivals")
    for start, end, first, last in _stretches(timeline, group):
        most, t = max(first, last), start
        while most > 0 and (t := t + rng.expovariate(most)) < end:
            if first == last or rng.random() * most < first + (last - first) * (t - start) / (end - start):
                yield t


def _stretches(timeline: Timeline, group: str) -> Iterator[tuple[float, float, float, float]]:
    """(start, end, first rate, last rate) of each phase; in between it goes in a straight line."""
    for phase in timeline.phases:
        first = timeline.at(phase.start).arrivals[group]
        middle = timeline.at((phase.start + phase.end) / 2).arrivals[group]
        yield phase.start, phase.end, first, max(0.0, 2 * middle - first)
