"""Open groups: a new user starts at every scheduled arrival, however slowly the earlier ones are answered.

Every worker computes the same schedule. Worker n of m takes every mth arrival, beginning with the nth.
"""

from itertools import islice

import gevent
from locust.env import Environment
from locust.exception import StopUser

from mockbot.load.load_generator import LoadGenerator
from mockbot.load.recorder import GeneratorError
from mockbot.load.users import ChatUser
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.timeline import Timeline


def start_open_arrivals(
    generator: LoadGenerator, environment: Environment, timeline: Timeline, turn: int = 0, turns: int = 1
) -> None:
    """Start users of the open groups as scheduled, from now on; `turn` of `turns` is this worker's share of them."""
    classes = {each.group_name: each for each in environment.user_classes if issubclass(each, ChatUser)}

    def session(group: str, due: float) -> None:
        user = classes[group](environment)
        try:
            user.run_session(due)
        except (StopUser, GeneratorError):  # the run is over; or the failure is recorded in `generator.broken`
            return
        finally:
            user.on_stop()

    def follow(group: str) -> None:
        for t in islice(arrivals(timeline, group, generator.plan.seed), turn, None, turns):
            generator.wait_until(t)
            gevent.spawn(session, group, t)

    generator.arrivals += [gevent.spawn(follow, group) for group in timeline.at(0.0).arrivals]
