"""The same stalling server, asked by two at the same rate: by Locust's constant_throughput, and by our visitors.

Prints latencies in seconds: `stock`, each from its actual start, and `ours`, each from its intended start.
"""

import json
import sys

import gevent
from locust import FastHttpUser, constant_throughput, task
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.open_arrivals import start_open_arrivals
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline

RATE, LASTS = 50, 10  # prompts per second, seconds
SCENARIO = f"""
name: stalling
title: The server stands still for 3 seconds of every 10
providers: {{main: {{}}}}
crowd: {{visitors: {{arrivals: 100%, policy: once, patience: 30s, stream: false}}}}
phases: [{{name: all, lasts: {LASTS}s, arrivals: {RATE}/s}}]
"""


def stock(url: str) -> list[float]:
    """What Locust's documentation suggests for a fixed rate, and what it reports."""

    class Steady(FastHttpUser):
        host = url
        wait_time = constant_throughput(RATE / 10)

        @task
        def ask(self) -> None:
            self.client.post("/stalls/v1/chat/completions", json={})

    latencies: list[float] = []
    environment = Environment(user_classes=[Steady])
    environment.events.request.add_listener(  # type: ignore[no-untyped-call]
        lambda response_time, **_: latencies.append(response_time / 1000)
    )
    runner = environment.create_local_runner()
    runner.start(10, 10)
    gevent.sleep(LASTS)
    runner.quit()
    return latencies


def ours(url: str) -> list[float]:
    """Visitors on an absolute schedule."""
    scenario = read_scenario(SCENARIO)
    timeline, clock = Timeline(scenario), Clock.start()
    prompts: list[Prompt] = []

    def take(record: Attempt | Prompt) -> None:
        if isinstance(record, Prompt):
            prompts.append(record)

    plan = LoadPlan(scenario.crowd, {"main": Endpoint(f"{url}/stalls")}, end=timeline.end)
    generator = LoadGenerator(plan, clock, Collector(clock, take))
    start_open_arrivals(generator, Environment(user_classes=[*classes_of([ChatUser], plan, generator)]), timeline)
    gevent.sleep(LASTS)
    gevent.joinall(generator.arrivals)
    generator.close(10.0)
    return [prompt.end - prompt.intended for prompt in prompts]


if __name__ == "__main__":
    both = {"stock": gevent.spawn(stock, sys.argv[1]), "ours": gevent.spawn(ours, sys.argv[1])}
    print(json.dumps({who: latencies.get() for who, latencies in both.items()}))  # noqa: T201 - its result
