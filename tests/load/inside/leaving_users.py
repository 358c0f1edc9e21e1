"""Users are taken away as they wake from thinking, in an event loop that is late; print how each prompt was settled."""

import json
import sys
import time

import gevent
from gevent.pool import Group as Greenlets
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.scenario.schema import Group

USERS = 40


def main(url: str) -> None:
    """Every user is stopped at 50 ms; most of them wake up to 450 ms later, while the loop is blocked."""
    records: list[Attempt | Prompt] = []
    clock = Clock.start()
    plan = LoadPlan({"users": Group(users="100%", policy="once", think="100ms")}, {"main": Endpoint(url)})
    generator = LoadGenerator(plan, clock, Collector(clock, records.append))
    environment, group = Environment(), Greenlets()
    users = [classes_of([ChatUser], plan, generator)[0](environment) for _ in range(USERS)]
    gevent.sleep(0.001)  # timers count from the loop's last turn, which was before the imports
    for user in users:
        user.start(group)
        gevent.spawn_later(0.05, user.stop)
    gevent.sleep(0.02)  # all users have begun to think
    time.sleep(0.5)  # now the timers of all stops and of most users are due at once
    gevent.joinall([user.greenlet for user in users if user.greenlet], timeout=30)
    print(json.dumps([record.settled for record in records if isinstance(record, Prompt)]))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1])
