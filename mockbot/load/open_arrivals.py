"""Open groups: a new user starts at every scheduled arrival, however slowly the earlier ones are answered.

Every worker computes the same schedule. Worker n of m takes every mth arrival, beginning with the nth.
"""

from collections.abc import Callable
from itertools import islice

import gevent
from gevent import Greenlet

from mockbot.load.load_generator import LoadGenerator
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.timeline import Timeline

Session = Callable[[str, float], None]  # (group, scenario second of the arrival): everything one new user does


def spawn_arrivals(
    generator: LoadGenerator, timeline: Timeline, session: Session, turn: int = 0, turns: int = 1
) -> list[Greenlet]:
    """Run `session` in a greenlet of its own at each arrival of this worker. Returns one greenlet per open group."""

    def follow(group: str) -> None:
        for t in islice(arrivals(timeline, group, generator.plan.seed), turn, None, turns):
            generator.wait_until(t)
            gevent.spawn(session, group, t)

    return [gevent.spawn(follow, group) for group in timeline.at(0.0).arrivals]
