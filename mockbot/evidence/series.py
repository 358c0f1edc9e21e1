"""The journals in, the course of the run out: what happened in each slice of time, for charts. Pure.

A slice is one second, or as long as it takes for a run to have at most SLICES of them, so that memory and the size of
a page do not grow with the run. Everything is put where it began.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil

from mockbot.evidence.counters import Sample
from mockbot.evidence.records import Attempt, Outcome, ServiceSecond
from mockbot.evidence.sketch import Sketch

SLICES = 600


@dataclass(slots=True)
class Side:
    """One provider, slice by slice: sums over its seconds, but of `queued` and `running` the most at one time."""

    offered: list[int]
    refused: list[int]
    failed: list[int]
    finished: list[int]
    queued: list[int]
    running: list[int]
    work: list[float]
    wasted: list[float]
    capacity: list[float]  # slot-seconds there were


@dataclass(slots=True)
class Series:
    """`width`: scenario seconds of a slice. Lists have one number for each slice."""

    end: float
    width: int = field(init=False)
    size: int = field(init=False)
    issued: dict[str, list[int]] = field(init=False)  # group -> prompts
    good: dict[str, list[int]] = field(init=False)
    sent: list[int] = field(init=False)  # attempts
    outcomes: dict[Outcome, list[int]] = field(init=False)
    latency: dict[int, Sketch] = field(default_factory=lambda: defaultdict(Sketch))  # of all prompts, as always
    first_token: dict[int, Sketch] = field(default_factory=lambda: defaultdict(Sketch))
    providers: dict[str, Side] = field(init=False)

    def __post_init__(self) -> None:
        self.width = max(1, ceil(self.end / SLICES))
        self.size = max(1, ceil(self.end / self.width))
        self.issued, self.good = defaultdict(self._zeros), defaultdict(self._zeros)
        self.sent = self._zeros()
        self.outcomes = defaultdict(self._zeros)
        self.providers = defaultdict(self._side)

    def add_prompt(self, sample: Sample, group: str) -> None:
        """Count it where it was intended."""
        at = self.slice(sample.at)
        self.issued[group][at] += 1
        self.good[group][at] += sample.good
        if sample.answered:
            self.latency[at].add(sample.took)
        else:
            self.latency[at].never += 1
        if sample.first_token is not None:
            self.first_token[at].add(sample.first_token)

    def add_attempt(self, attempt: Attempt) -> None:
        """Count it where it was sent."""
        at = self.slice(attempt.start)
        self.sent[at] += 1
        self.outcomes[attempt.outcome][at] += 1

    def add_second(self, second: ServiceSecond) -> None:
        """Add what one provider saw."""
        if not 0 <= second.t < self.end:
            return
        side, at = self.providers[second.provider], self.slice(second.t)
        side.offered[at] += second.offered
        side.refused[at] += second.refused
        side.failed[at] += second.failed
        side.finished[at] += second.finished
        side.queued[at] = max(side.queued[at], second.queued)
        side.running[at] = max(side.running[at], second.running)
        side.work[at] += second.work
        side.wasted[at] += second.wasted
        side.capacity[at] += second.capacity

    def slice(self, t: float) -> int:
        """Which slice holds t, 0 <= t < end."""
        return int(t // self.width)

    def _zeros(self) -> list[int]:
        return [0] * self.size

    def _side(self) -> Side:
        zeros = self._zeros
        nothing = [0.0] * self.size
        return Side(zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), list(nothing), list(nothing), list(nothing))
