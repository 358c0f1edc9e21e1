"""Let an official SDK meet each of the given faults, all at once; print its first attempt at each, as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json
import sys

import gevent
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.runs.journal_files import to_line
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import LoadPlan, LoadGenerator, Endpoint
from mockbot.load.user_classes import classes_of
from mockbot.load.sdk import AnthropicSdk, OpenAISdk, SdkUser
from mockbot.scenario.schema import Group


class OpenAI(OpenAISdk):
    """With its defaults."""


class Anthropic(AnthropicSdk):
    """With its defaults."""


OFFICIAL: dict[str, type[SdkUser]] = {"openai": OpenAI, "anthropic": Anthropic}


def meet(dialect: str, url: str, fault: str) -> list[object]:
    """The records of one prompt; `fault` or `fault:whole`, `refused` for a port where nobody listens."""
    name, _, how = fault.partition(":")
    group = Group.model_validate({"users": "100%", "policy": "once", "patience": "5s", "stream": how != "whole"})
    endpoint = Endpoint("http://127.0.0.1:1" if name == "refused" else f"{url}/{name}", dialect)
    clock, records = Clock.start(), list[Attempt | Prompt]()
    plan = LoadPlan({"users": group}, {"main": endpoint})
    generator = LoadGenerator(plan, clock, Collector(clock, records.append))
    classes_of([OFFICIAL[dialect]], plan, generator)[0](Environment()).ask()
    return [json.loads(to_line(record)) for record in records]


def main(dialect: str, url: str, faults: list[str]) -> None:
    """The wanted faults, after a call in which the SDK loads what it loads at its first."""
    meet(dialect, url, "whole:whole")
    meeting = {fault: gevent.spawn(meet, dialect, url, fault) for fault in faults}
    print(json.dumps({fault: records.get() for fault, records in meeting.items()}))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
