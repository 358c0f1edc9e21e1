"""How much load one Locust process makes, and how well it keeps time; prints one JSON object.

figures plain URL SECONDS USERS        posts: `bare` by FastHttpUser, `ours` with all measuring on, in turns
figures traced URL SECONDS USERS       the same posts `without` a traceparent and `with` one, in turns
figures streams URL SECONDS USERS      token gaps and lags of USERS streams at a time
figures thinking URL SECONDS USERS     CPU of USERS who think for 2 s between prompts, and memory per user
"""

import json
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import psutil
from locust import FastHttpUser, constant, task
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.dialects.openai import chat
from mockbot.evidence.records import Attempt, Health
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.run_recorder import RunRecorder
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.load.workers import LocalWorkers
from mockbot.runs.folder import RunFolder
from mockbot.scenario.schema import Group

ROUNDS = 5
PATH = "/v1/chat/completions"


class Ours:
    """A crowd of ours at a URL, journal on disk, health watched."""

    def __init__(self, url: str, users: int, **group: Any) -> None:
        spec = Group.model_validate({"users": "100%", "policy": "once", "patience": "60s"} | group)
        self.folder = Path(tempfile.mkdtemp())
        self.recorder = RunRecorder(RunFolder(self.folder), 1.0, 10.0)
        self.attempts: list[Attempt] = []
        self.health: list[Health] = []
        self.recorder.watcher = self._keep
        clock = Clock.start()
        plan = LoadPlan({"users": spec}, {"main": Endpoint(url)})
        self.generator = LoadGenerator(plan, clock, Collector(clock, self.recorder.take))
        self.environment = Environment(user_classes=[*classes_of([ChatUser], plan, self.generator)])
        self.runner = self.environment.create_local_runner()
        self.users = users

    def _keep(self, record: object) -> None:
        if isinstance(record, Attempt):
            self.attempts.append(record)
        elif isinstance(record, Health):
            self.health.append(record)

    def hear(self, gaps: "array[float]") -> None:
        """Keep every gap between two tokens, of which a reader keeps the worst only."""

        class Hearing(chat.ChatReader):
            __slots__ = ()

            def token(self, text: object, now: float) -> None:
                before = self.last
                super().token(text, now)
                if before is not None:
                    gaps.append(now - before)

        chat.ChatReader = Hearing  # type: ignore[misc]

    def play(self, seconds: float) -> float:
        """Returns prompts per second."""
        self.runner.start(self.users, self.users)
        workers = LocalWorkers(self.generator, lambda: self.runner.user_count, self.recorder.take)
        gevent.sleep(seconds)
        asked = self.generator.collector.started
        workers.close(0.0)
        self.runner.quit()
        self.recorder.close()
        return asked / seconds


def bare(url: str, users: int, seconds: float) -> float:
    """Posts per second of what everyone writes with Locust."""
    sent = [0]

    class Bare(FastHttpUser):
        host = url
        wait_time = constant(0)

        @task
        def ask(self) -> None:
            self.client.post(PATH, json={"model": "m", "messages": [{"role": "user", "content": "When?"}]})
            sent[0] += 1

    runner = Environment(user_classes=[Bare]).create_local_runner()
    runner.start(users, users)
    gevent.sleep(seconds)
    runner.quit()
    return sent[0] / seconds


def plain(url: str, seconds: float, users: int) -> dict[str, Any]:
    """In turns, so that what else the machine does hits both."""
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    for _ in range(ROUNDS):
        found["bare"].append(_priced(lambda: bare(url, users, seconds), seconds))
        found["ours"].append(_priced(lambda: Ours(url, users, think="0s", stream=False).play(seconds), seconds))
    return found


def traced(url: str, seconds: float, users: int) -> dict[str, list[float]]:
    """CPU seconds of a prompt, in turns of a tenth of a second of one crowd, so that both meet the same machine."""
    crowd = Ours(url, users, think="0s", stream=False)
    plans = {name: replace(crowd.generator.plan, run="1000.000", traced=name == "with") for name in ("without", "with")}
    found: dict[str, list[float]] = {name: [] for name in plans}
    gevent.spawn(crowd.play, seconds + 2.0)
    gevent.sleep(1.0)  # until every user has connected
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        # A prompt that began in one turn ends in the next, so each comes first as often.
        for name in sorted(plans, reverse=len(found["with"]) % 2 == 0):
            crowd.generator.plan = plans[name]
            before, asked = time.process_time(), crowd.generator.collector.started
            gevent.sleep(0.1)
            spent, prompts = time.process_time() - before, crowd.generator.collector.started - asked
            found[name].append(spent / max(1, prompts))
    return found


def _priced(play: Callable[[], float], seconds: float) -> tuple[float, float]:
    """(per second, per second of CPU)."""
    before = time.process_time()
    rate = play()
    return rate, rate * seconds / (time.process_time() - before)


def streams(url: str, seconds: float, users: int) -> dict[str, Any]:
    """Every gap between two tokens, seconds, and the generator's own lag."""
    crowd, gaps = Ours(url, users, think="0s"), array("d")
    crowd.hear(gaps)
    crowd.play(seconds)
    ordered = sorted(gaps)
    return {
        "outcomes": sorted({attempt.outcome for attempt in crowd.attempts}),
        "gap_p50": ordered[len(ordered) // 2],
        "gap_p99": ordered[int(0.99 * len(ordered))],
        "tokens": sum(attempt.tokens for attempt in crowd.attempts) / seconds,
        "cpu": [health.cpu for health in crowd.health],
        "loop_lag_p99": [health.loop_lag_p99 for health in crowd.health],
    }


def thinking(url: str, seconds: float, users: int) -> dict[str, Any]:
    """CPU is a share of one core."""
    process = psutil.Process()
    crowd = Ours(url, users, think="2s", stream=False)
    before = process.memory_info().rss
    rate = crowd.play(seconds)
    return {
        "rate": rate,
        "cpu": [health.cpu for health in crowd.health],
        "lag_p99": [health.lag_p99 for health in crowd.health],
        "kilobytes_per_user": (process.memory_info().rss - before) / users / 1000,
    }


if __name__ == "__main__":
    figure = {"plain": plain, "traced": traced, "streams": streams, "thinking": thinking}[sys.argv[1]]
    print(json.dumps(figure(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))))  # noqa: T201 - its result
