"""A locustfile: chat.py's crowd, and every 50 ms a line of how many users of each class run, as the runner has it."""

import json
import os
import time
from pathlib import Path

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from mockbot.load.locust_plugin import install
from mockbot.load.users import ChatUser

install(events)


class Chatter(ChatUser):
    """Nothing of its own."""


@events.init.add_listener  # type: ignore[untyped-decorator]
def count(environment: Environment, **_: object) -> None:
    """Write to the file named by COUNTS."""
    runner = environment.runner
    if runner is None or isinstance(runner, WorkerRunner):
        return
    path = Path(os.environ["COUNTS"])

    def watch() -> None:
        with path.open("a", buffering=1) as file:
            while True:
                counts = (
                    runner.reported_user_classes_count
                    if isinstance(runner, MasterRunner)
                    else runner.user_classes_count
                )
                file.write(json.dumps([time.time(), dict(counts)]) + "\n")
                gevent.sleep(0.05)

    gevent.spawn(watch)
