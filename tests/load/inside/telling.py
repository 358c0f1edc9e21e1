"""A locustfile: chat.py's crowd; at each start of a test a line in told.jsonl of how Locust was told to play it."""

import json
from pathlib import Path

from locust import events
from locust.env import Environment

from mockbot.load.locust_plugin import install
from mockbot.load.users import ChatUser

install(events)


class Chatter(ChatUser):
    """Nothing of its own."""


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def tell(environment: Environment, **_: object) -> None:
    """Into the folder in which Locust was started."""
    shape = environment.shape_class
    told = {"shape": shape and type(shape).__name__, "stop_timeout": environment.stop_timeout}
    with Path("told.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
