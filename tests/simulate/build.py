"""Scenarios of a few words for tests of simulated runs, and what comes out of them."""

from collections.abc import Callable
from random import Random
from typing import Any

from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.scenario.answer_law import Pace
from mockbot.scenario.schema import Provider, Scenario
from mockbot.service.chatbot import Answer, Chatbot
from mockbot.simulate.reference.engine import Reference
from mockbot.simulate.simulation import Memory

Law = Callable[[float], float]  # uniform in 0..1 -> seconds of work

STEADY = {"first_token": "1s", "tokens": {"median": 11, "p95": 11}, "pace": "10/s"}  # each answer takes 2 s
NO_THINK: list[dict[str, Any]] = [  # for a group that thinks for no time: as many prompts as it can ask
    {"name": "calm", "lasts": "4s", "users": 1},
    {"name": "bad", "lasts": "1s", "faults": [{"http_error": 503}]},
]


def scenario(faults: list[Any] | None = None, **more: Any) -> Scenario:
    """One user-group "all" on one provider "main"; `faults` hold in the middle phase "bad" (100..200 s)."""
    provider = {"slots": 1000, "answer": STEADY} | more.pop("provider", {})
    group = {"users": "100%", "policy": {"name": "once", "timeout": "20s"}, "think": "8s"} | more.pop("group", {})
    whole = {
        "name": "test",
        "title": "A test",
        "providers": {"main": provider},
        "crowd": {"all": group},
        "phases": [
            {"name": "calm", "lasts": "100s", "users": 20},
            {"name": "bad", "lasts": "100s", "faults": faults or []},
            {"name": "after", "lasts": "100s"},
        ],
    }
    return Scenario.model_validate(whole | more)


class Lived:
    """What a simulated run left behind."""

    def __init__(self, memory: Memory, end: float, run: Reference) -> None:
        self.memory, self.end, self.run = memory, end, run
        self.attempts = [record for record in memory.requests if isinstance(record, Attempt)]
        self.prompts = [record for record in memory.requests if isinstance(record, Prompt)]
        self.seconds: list[ServiceSecond] = memory.seconds

    def during(self, start: float, end: float) -> list[Attempt]:
        """The attempts that were sent in this time."""
        return [attempt for attempt in self.attempts if start <= attempt.start < end]

    def outcomes(self, start: float, end: float) -> set[str]:
        """How those ended."""
        return {attempt.outcome for attempt in self.during(start, end)}


def live_through(world: Scenario, seed: int = 1, law: Law | None = None) -> Lived:
    """Simulate it; `law` gives every answer a service time of its own, drawn anew for every attempt."""
    memory = Memory()
    run = Reference(world, seed, memory.take, chatbot_of(law) if law else Chatbot)
    while run.play(run.now + 60):
        pass
    return Lived(memory, run.finish(), run)


def chatbot_of(law: Law) -> Callable[[str, Provider, int], Chatbot]:
    """A chatbot whose answers are one token that takes as long as the law says: for laws that theory knows."""

    class Lawful(Chatbot):
        def __init__(self, name: str, provider: Provider, seed: int) -> None:
            super().__init__(name, provider, seed)
            self._drawn = Random(f"{seed}/{name}/work")

        def _answer(self, *args: Any, **more: Any) -> Answer:
            answer = super()._answer(*args, **more)
            answer.work = law(self._drawn.random())
            answer.tokens, answer.pace = 1, Pace(answer.work, 0.0)
            return answer

    return Lawful
