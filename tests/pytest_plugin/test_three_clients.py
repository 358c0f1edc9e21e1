"""Three clients of the kind people really write, together in every bundled outage, each judged by its own requests.

naive    `requests` in a loop: asks again at once, whatever it was told
tidy     the official SDK with its defaults
careful  a deadline, a few jittered retries, Retry-After, a breaker, fail-over to a second provider, whole answers only
"""

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import httpx
import openai
import pytest
import requests

from mockbot.dialects.client_identity import FREE, api_key
from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.verdict import judge
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.timeline import Timeline

pytestmark = [pytest.mark.second, pytest.mark.timeout(180)]
SAMPLE = {"maintenance-window"}  # all at night
MANY = 20  # failures that a client which knows no measure cannot have had by chance
SECONDS = 10.0  # wall seconds that an outage takes
Stop = threading.Event
KEYS = {who: api_key(FREE, str(number)) for number, who in enumerate(("naive", "tidy", "careful"), 1)}


def question(number: int, who: str) -> dict[str, object]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": f"{who} asks {number}"}]}


def naive(stop: Stop) -> None:
    """Never waits for anything but an answer."""
    url, number = f"{os.environ['OPENAI_BASE_URL']}/chat/completions", 0
    while not stop.is_set():
        try:
            answer = requests.post(
                url, headers={"Authorization": f"Bearer {KEYS['naive']}"}, json=question(number, "naive"), timeout=2
            )
        except requests.RequestException:
            continue
        if answer.ok:
            number += 1
            stop.wait(0.1)


def tidy(stop: Stop) -> None:
    """Whatever the SDK does by itself; a new question after every answer and every error."""
    number = 0
    with openai.OpenAI(api_key=KEYS["tidy"], timeout=2) as client:
        while not stop.is_set():
            number += 1
            with contextlib.suppress(openai.APIError):
                client.post("/chat/completions", body=question(number, "tidy"), cast_to=object)
            stop.wait(0.1)


@dataclass(slots=True)
class Careful:
    """One provider after the other, each with a breaker; gives up within its deadline."""

    urls: list[str]
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    opened: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    def run(self, stop: Stop) -> None:
        """Ask until told to stop."""
        number = 0
        with httpx.Client(headers={"authorization": f"Bearer {KEYS['careful']}"}, timeout=2, trust_env=False) as client:
            while not stop.is_set():
                number += 1
                self.ask(client, number, stop)
                stop.wait(0.1)

    def ask(self, client: httpx.Client, number: int, stop: Stop) -> None:
        """At most five attempts in three seconds, and none at a provider whose breaker is open."""
        deadline, wait = time.monotonic() + 3, 0.0
        for attempt in range(5):
            if wait and (time.monotonic() + wait > deadline or stop.wait(wait)):
                return
            url = next((each for each in self.urls if self.opened.get(each, 0.0) <= time.monotonic()), None)
            if url is None:
                return
            told = self.attempt(client, url, number)
            if told is None:
                return
            wait = max(told, self.rng.uniform(0.75, 1.0) * 0.15 * 2**attempt)

    def attempt(self, client: httpx.Client, url: str, number: int) -> float | None:
        """None: answered. Else how long to wait at the least."""
        told = 0.0
        try:
            answer = client.post(f"{url}/v1/chat/completions", json=question(number, "careful"))
            if answer.is_success and answer.json()["choices"][0]["message"]["content"]:
                self.failures[url] = 0
                return None
            told = (
                float(answer.headers.get("retry-after-ms", 1000 * float(answer.headers.get("retry-after", 0)))) / 1000
            )
        except (httpx.HTTPError, ValueError, LookupError):
            pass
        self.failures[url] = self.failures.get(url, 0) + 1
        if self.failures[url] >= 3 or told > 2:
            self.opened[url] = time.monotonic() + max(told, 0.5)
        return told


def of(evidence: RunEvidence, who: str) -> Judgement:
    """What is to be said of one of them alone."""

    def mine() -> Iterator[Attempt | Prompt]:
        for line in evidence.requests():
            if getattr(line, "prompt", getattr(line, "id", "")).startswith(f"{KEYS[who]}/"):
                assert isinstance(line, Attempt | Prompt)
                yield line

    return judge(replace(evidence, requests=mine))


def habits_of(judgement: Judgement) -> dict[str, str]:
    """The bad habits and the words for them."""
    return {
        each.measure: each.why
        for each in judgement.expectations
        if each.measure in ANTIPATTERNS and each.result == "fail"
    }


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.nightly) for name in names()]
)
def test_each_client_gets_its_verdict(mockbot: Mockbot, name: str) -> None:
    """The naive one's habits are named with their evidence, the careful one has none; or nobody felt anything."""
    scenario = load_scenario(find(name))
    stop, speed = threading.Event(), max(1.0, Timeline(scenario).end / SECONDS)
    with mockbot.outage(scenario, speed=speed) as outage:
        urls = [os.environ[f"MOCKBOT_{each.upper().replace('-', '_')}_URL"] for each in scenario.providers]
        clients: list[Callable[[Stop], None]] = [naive, tidy, Careful(urls).run]
        threads = [threading.Thread(target=client, args=(stop,)) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS + 0.5)
        stop.set()
        for thread in threads:
            thread.join()
    told = {who: of(outage.evidence, who) for who in ("naive", "tidy", "careful")}
    failed = sum(
        isinstance(line, Attempt) and line.outcome != "ok" and line.prompt.startswith(f"{KEYS['naive']}/")
        for line in outage.evidence.requests()
    )

    print(name, {who: (judgement.verdict, habits_of(judgement), judgement.reasons) for who, judgement in told.items()})  # noqa: T201
    assert habits_of(told["careful"]) == {}
    assert told["careful"].verdict != "fail", told["careful"].reasons
    if failed > MANY:
        assert habits_of(told["naive"])
        assert all(f"{KEYS['naive']}/" in why for why in habits_of(told["naive"]).values())
        assert told["naive"].verdict != "pass"
