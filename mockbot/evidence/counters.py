"""The counters from which measures are computed; they can be merged in any order, with the same result. Pure."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from mockbot.evidence.records import Prompt
from mockbot.evidence.sketch import Sketch
from mockbot.measures.counter_protocols import Outage

ROUNDED = 2e-4  # seconds by which a time may be off, since begin and end are written with four digits
EXAMPLES = 3  # prompts kept as evidence of what was not good


class Key(NamedTuple):
    """What a sample is counted under. `provider` is set for attempts and empty for prompts."""

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
    over: bool  # answered or given up, and not cut off by the end of the run
    first_token: float | None

    @property
    def end(self) -> float:
        """When it ended, scenario seconds."""
        return self.at + self.took


def prompt_sample(prompt: Prompt, slo: float) -> Sample:
    """The sample of a prompt."""
    took, answered = prompt.end - prompt.intended, prompt.settled == "answered"
    over, good = prompt.settled != "unfinished", answered and took <= slo + ROUNDED
    return Sample(prompt.id, prompt.intended, took, answered, good, over, prompt.first_token)


@dataclass(slots=True)
class Cohort:
    """Counts of the samples of one phase, group, tier and provider, by their intended time.

    Two counts go by another time: `sent` by the start of the attempt, `good_done` by the completion of the answer.
    """

    prompts: int = 0
    answered: int = 0
    good: int = 0
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
        if sample.answered:
            self.answered += 1
            self.satisfied += sample.took <= satisfied_within
            self.latency.add(sample.took)
        else:
            self.latency.never += 1
            self.failure.add(sample.took)
        if sample.first_token is not None:
            self.first_token.add(sample.first_token)
        elif not sample.answered:  # an answer that was not streamed has no first token, so it counts as neither
            self.first_token.never += 1
        if not sample.good:
            self._keep((sample.at, sample.name))

    @property
    def answered_latency(self) -> Sketch:
        """Latencies of the answered prompts alone."""
        only = Sketch()
        only.merge(self.latency)
        only.never = 0
        return only

    def merge(self, other: "Cohort", times: int = 1) -> None:
        """Add the counts of another cohort, each so many times."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + times * getattr(other, name))
        self.latency.merge(other.latency, times)
        self.failure.merge(other.failure, times)
        self.first_token.merge(other.first_token, times)
        for example in other.examples:
            self._keep(example)

    def _keep(self, example: tuple[float, str]) -> None:
        if len(self.examples) < EXAMPLES or example < self.examples[-1]:
            self.examples = tuple(sorted((*self.examples, example))[:EXAMPLES])


_COUNTS = ("prompts", "answered", "good", "attempts", "sent", "good_done", "satisfied", "up", "down")


@dataclass(slots=True)
class Aftermath:
    """What became of the samples of one outage."""

    first_failure: float = math.inf
    first_success: float = math.inf
    answered: int = 0
    gave_up: int = 0
    unacknowledged: int = 0  # microseconds in which users were down and no status page had admitted it
    settled: Sketch = field(default_factory=Sketch)  # seconds from the clear to the end of each

    def merge(self, other: "Aftermath", times: int = 1) -> None:
        """Add another one, so many times."""
        self.first_failure = min(self.first_failure, other.first_failure)
        self.first_success = min(self.first_success, other.first_success)
        self.answered += times * other.answered
        self.gave_up += times * other.gave_up
        self.unacknowledged += times * other.unacknowledged
        self.settled.merge(other.settled, times)


@dataclass(slots=True)
class Course:
    """Samples by the second of the run in which they were issued, and what became of those of each outage."""

    issued: Counter[int] = field(default_factory=Counter)
    good: Counter[int] = field(default_factory=Counter)
    complaints: Counter[int] = field(default_factory=Counter)  # by the second of the complaint
    after: dict[int, Aftermath] = field(default_factory=lambda: defaultdict(Aftermath))

    def of_outage(self, index: int) -> Aftermath:
        """What became of the samples of the group's outage with this index."""
        return self.after[index]

    def add(self, sample: Sample, outages: Sequence[Outage]) -> None:
        """Count one sample. `outages`: of its group, or of its provider, in order of time."""
        second = int(sample.at)
        self.issued[second] += 1
        self.good[second] += sample.good
        index = _last_begun(outages, sample.at)
        if index >= 0:
            after, clear = self.after[index], outages[index].clear
            if sample.at >= clear:
                if sample.good:
                    after.first_success = min(after.first_success, sample.end)
            elif sample.over:
                after.settled.add(sample.end - clear)
                after.answered += sample.answered
                after.gave_up += not sample.answered
            else:
                after.settled.never += 1
        self.add_failure(sample, outages)

    def add_failure(self, sample: Sample, outages: Sequence[Outage]) -> None:
        """Update the time of the first failure; a failed attempt of a prompt counts as one, too."""
        if not sample.good and sample.over and (index := _last_begun(outages, sample.end)) >= 0:
            self.after[index].first_failure = min(self.after[index].first_failure, sample.end)

    def add_down(self, start: float, end: float, outages: Sequence[Outage]) -> None:
        """Count the time of a user who was down, as far as an outage of theirs was not admitted by a status page."""
        for index, outage in enumerate(outages):
            admitted = outage.until if outage.acknowledged is None else outage.acknowledged
            if (seconds := min(end, admitted) - max(start, outage.begin)) > 0:
                self.after[index].unacknowledged += round(1e6 * seconds)

    def merge(self, other: "Course", times: int = 1) -> None:
        """Add the counts of another one, each so many times."""
        for name in ("issued", "good", "complaints"):
            own, others = getattr(self, name), getattr(other, name)
            for second, count in others.items():
                own[second] += times * count
        for index, after in other.after.items():
            self.after[index].merge(after, times)


def _last_begun(outages: Sequence[Outage], t: float) -> int:
    """The index of the last outage that had begun by t; -1 before the first."""
    return bisect_right(outages, t, key=attrgetter("begin")) - 1


@dataclass(slots=True)
class Work:
    """The sums over the seconds of one provider."""

    seconds: int = 0
    offered: int = 0
    refused: int = 0
    failed: int = 0
    finished: int = 0
    work: float = 0.0  # slot-seconds
    wasted: float = 0.0
    capacity: float = 0.0  # slot-seconds available

    def merge(self, other: "Work") -> None:
        """Add the sums of another one."""
        for name in ("seconds", "offered", "refused", "failed", "finished", "work", "wasted", "capacity"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
