"""What a detector is: the context of a run and settled prompts with their attempts in, detections out. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mockbot.evidence.antipatterns import SHOWN
from mockbot.evidence.records import Attempt, Prompt
from mockbot.measures.counter_protocols import Disturbance
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline


@dataclass(frozen=True, slots=True)
class DetectionContext:
    """The run. `clock`: scenario seconds per second of the client's clock; `external`: it is the user's program."""

    scenario: Scenario
    timeline: Timeline
    disturbance: Disturbance
    clock: float = 1.0
    external: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """What a group did, how often, and the first prompts that show it; `of`: the number to compare `times` with."""

    name: str
    group: str
    times: int
    evidence: tuple[str, ...]
    of: float = 0.0


@dataclass(slots=True)
class Occurrences:
    """A count of occurrences and the descriptions of the first by time."""

    times: int = 0
    first: list[tuple[float, str]] = field(default_factory=list)

    def add(self, at: float, text: str) -> None:
        """Count one at second `at`."""
        self.times += 1
        if len(self.first) < SHOWN or (at, text) < self.first[-1]:
            self.first = sorted([*self.first, (at, text)])[:SHOWN]

    @property
    def evidence(self) -> tuple[str, ...]:
        """The first descriptions."""
        return tuple(text for _, text in self.first)


class Detector(Protocol):
    """Detects one kind of behaviour; `idle` when it cannot occur in this scenario."""

    idle: bool = False

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Look at a settled prompt and its attempts, in order."""

    def detections(self) -> Iterator[Detection]:
        """What was found, once all prompts were given to `settle`."""
