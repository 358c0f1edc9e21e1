"""The counters that measures are taken from: each can be summed over any scope, in any order, with the same result."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from mockbot.evidence.disturbance import Disturbance
from mockbot.evidence.sketch import Sketch

EXAMPLES = 3  # prompts kept as evidence of what was not good


class Key(NamedTuple):
    """Where a sample belongs. `provider` is set for attempts and empty for prompts."""

    phase: int
    group: str
    tier: str
    provider: str = ""


class Sample(NamedTuple):
    """One prompt, or in a provider's scope one attempt. `at` is when it was intended, `took` is counted from then."""

    name: str
    at: float
    took: float
    answered: bool
    good: bool
    over: bool  # somebody answered it or gave it up; the run did not cut it off
    first_token: float | None

    @property
    def end(self) -> float:
        """When it was settled, scenario seconds."""
        return self.at + self.took


@dataclass(slots=True)
class Cohort:
    """What is counted of one cohort; but `sent` and `good_done` belong to the phase they began, or completed, in."""

    prompts: int = 0
    answered: int = 0
    good: int = 0
    unfinished: int = 0
    attempts: int = 0
    sent: int = 0
    good_done: int = 0
    satisfied: int = 0
    up: int = 0  # microseconds of users' time
    down: int = 0
    latency: Sketch = field(default_factory=Sketch)
    failure: Sketch = field(default_factory=Sketch)
    first_token: Sketch = field(default_factory=Sketch)
    examples: tuple[tuple[float, str], ...] = ()  # (intended, id) of the first ones that were not good

    def add(self, sample: Sample, satisfied_within: float) -> None:
        """Count one sample of the cohort."""
        self.prompts += 1
        self.good += sample.good
        self.unfinished += not sample.over
        if sample.answered:
            self.answered += 1
            self.satisfied += sample.took <= satisfied_within
            self.latency.add(sample.took)
        else:
            self.latency.never += 1
            self.failure.add(sample.took)
        self._add_first_token(sample)
        if not sample.good:
            self._keep((sample.at, sample.name))

    def merge(self, other: "Cohort") -> None:
        """Add another cohort's."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latency.merge(other.latency)
        self.failure.merge(other.failure)
        self.first_token.merge(other.first_token)
        for example in other.examples:
            self._keep(example)

    def _add_first_token(self, sample: Sample) -> None:
        if sample.first_token is not None:
            self.first_token.add(sample.first_token)
        elif not sample.answered:  # an answer that was not streamed has no first token, and says nothing about it
            self.first_token.never += 1

    def _keep(self, example: tuple[float, str]) -> None:
        if len(self.examples) < EXAMPLES or example < self.examples[-1]:
            self.examples = tuple(sorted((*self.examples, example))[:EXAMPLES])


_COUNTS = ("prompts", "answered", "good", "unfinished", "attempts", "sent", "good_done", "satisfied", "up", "down")


@dataclass(slots=True)
class RecoverySeries:
    """What happened around the disturbance: the baseline's cohort, cohorts by second since the clear, and moments."""

    calm_issued: int = 0
    calm_good: int = 0
    issued: Counter[int] = field(default_factory=Counter)  # whole seconds since the clear -> prompts
    good: Counter[int] = field(default_factory=Counter)
    settled: Sketch = field(
        default_factory=Sketch
    )  # of those issued in the disturbance: seconds from the clear to their end
    first_success: float = math.inf  # when the first one issued after the clear was answered well
    first_failure: float = math.inf  # when the first failure after the begin was seen

    def add(self, sample: Sample, disturbance: Disturbance) -> None:
        """Count one sample where it belongs."""
        if disturbance.baseline is not None and disturbance.baseline[0] <= sample.at < disturbance.baseline[1]:
            self.calm_issued += 1
            self.calm_good += sample.good
        if disturbance.begin is None or disturbance.clear is None:
            return
        if sample.at >= disturbance.clear:
            self._add_after(sample, disturbance.clear)
        elif sample.at >= disturbance.begin:
            self._add_during(sample, disturbance.clear)
        self.notice(sample, disturbance)

    def notice(self, sample: Sample, disturbance: Disturbance) -> None:
        """Remember the first failure; a prompt's is also what a client saw of one of its attempts."""
        if disturbance.begin is not None and not sample.good and sample.over and sample.end >= disturbance.begin:
            self.first_failure = min(self.first_failure, sample.end)

    def merge(self, other: "RecoverySeries") -> None:
        """Add another series."""
        self.calm_issued += other.calm_issued
        self.calm_good += other.calm_good
        self.issued.update(other.issued)
        self.good.update(other.good)
        self.settled.merge(other.settled)
        self.first_success = min(self.first_success, other.first_success)
        self.first_failure = min(self.first_failure, other.first_failure)

    def _add_after(self, sample: Sample, clear: float) -> None:
        second = int(sample.at - clear)
        self.issued[second] += 1
        if sample.good:
            self.good[second] += 1
            self.first_success = min(self.first_success, sample.end)

    def _add_during(self, sample: Sample, clear: float) -> None:
        if sample.over:
            self.settled.add(sample.end - clear)
        else:
            self.settled.never += 1


@dataclass(slots=True)
class Work:
    """What the seconds of one provider add up to."""

    seconds: int = 0
    offered: int = 0
    refused: int = 0
    failed: int = 0
    finished: int = 0
    work: float = 0.0  # slot-seconds
    wasted: float = 0.0
    capacity: float = 0.0  # slot-seconds there were

    def merge(self, other: "Work") -> None:
        """Add another's."""
        for name in ("seconds", "offered", "refused", "failed", "finished", "work", "wasted", "capacity"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
