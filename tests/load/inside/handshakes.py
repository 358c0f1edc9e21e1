"""Let a user of the crowd, and one with OpenAI's SDK, ask at each of the given https URLs; print their first attempts.

Arguments: the CA's certificate (PEM), and the URLs by name as JSON.
"""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json
import sys
from dataclasses import asdict

from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.sdk import OpenAISdk
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.scenario.schema import Group


class Fast(ChatUser):
    """A user as every other."""


class Official(OpenAISdk):
    """With its defaults."""


def meet(user: type[ChatUser], url: str, authority: str) -> dict[str, object]:
    """The first attempt of one prompt."""
    policy = {"name": "once", "timeout": "2s"}
    group = Group.model_validate({"users": "100%", "policy": policy, "patience": "2s"})
    clock, records = Clock.start(), list[Attempt | Prompt]()
    plan = LoadPlan({"users": group}, {"main": Endpoint(url)}, authority=authority)
    generator = LoadGenerator(plan, clock, Collector(clock, records.append))
    classes_of([user], plan, generator)[0](Environment()).ask()
    return asdict(records[0])


def main(authority: str, urls: dict[str, str]) -> None:
    """After a call in which the SDK loads what it loads at its first."""
    meet(Official, urls["main"], authority)
    seen = {name: [meet(user, url, authority)["outcome"] for user in (Fast, Official)] for name, url in urls.items()}
    print(json.dumps(seen))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
