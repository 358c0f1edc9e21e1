"""Open groups: somebody new comes when the schedule says so, asks one prompt and goes, whatever becomes of others.

Several nodes take turns: of the one schedule that all of them compute, the nth of m workers takes every mth arrival.
"""

from collections.abc import Callable
from itertools import islice

import gevent
from gevent import Greenlet

from mockbot.load.load_generator import LoadGenerator
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.timeline import Timeline

Visit = Callable[[str, float], None]  # (group, when it should have started): one prompt of one new user


def welcome(node: LoadGenerator, timeline: Timeline, visit: Visit, turn: int = 0, turns: int = 1) -> list[Greenlet]:
    """One greenlet for each open group of the timeline."""
    groups = timeline.at(0.0).arrivals
    return [gevent.spawn(_welcome, node, timeline, group, visit, turn, turns) for group in groups]


def _welcome(node: LoadGenerator, timeline: Timeline, group: str, visit: Visit, turn: int, turns: int) -> None:
    for t in islice(arrivals(timeline, group, node.cast.seed), turn, None, turns):
        node.wait_until(t)
        gevent.spawn(visit, group, t)
