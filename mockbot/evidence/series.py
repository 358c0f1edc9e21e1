"""Records in, time series out: counts per slice of time, for charts and alerts. Pure.

A slice is one second, or longer where a run would have more than SLICES of them, so that neither memory nor the size of
a page grows with the run. Prompts and attempts are counted in the slice in which they began.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from mockbot.evidence.counters import Sample
from mockbot.evidence.records import Attempt, Outcome, ServiceSecond
from mockbot.evidence.sketch import Sketch

SLICES = 600  # at most; a chart has hardly more pixels than that


@dataclass(slots=True)
class Side:
    """One provider, slice by slice: sums over its seconds; of `queued` and `running` the maximum."""

    offered: list[int]
    queued: list[int]
    running: list[int]
    capacity: list[float]  # slot-seconds available


@dataclass(slots=True)
class Series:
    """`width`: scenario seconds of a slice. Lists have one number for each slice."""

    end: float
    width: int = field(init=False)
    size: int = field(init=False)
    issued: dict[str, list[int]] = field(init=False)  # group -> prompts
    good: dict[str, list[int]] = field(init=False)
    complaints: dict[str, list[int]] = field(init=False)  # group -> by when they were made
    sent: list[int] = field(init=False)  # attempts
    outcomes: dict[Outcome, list[int]] = field(init=False)
    latency: dict[int, Sketch] = field(default_factory=lambda: defaultdict(Sketch))  # of all prompts
    first_token: dict[int, Sketch] = field(default_factory=lambda: defaultdict(Sketch))
    providers: dict[str, Side] = field(init=False)

    def __post_init__(self) -> None:
        self.width = max(1, ceil(self.end / SLICES))
        self.size = max(1, ceil(self.end / self.width))
        self.issued, self.good = defaultdict(self._zeros), defaultdict(self._zeros)
        self.complaints = defaultdict(self._zeros)
        self.sent = self._zeros()
        self.outcomes = defaultdict(self._zeros)
        self.providers = defaultdict(
            lambda: Side(self._zeros(), self._zeros(), self._zeros(), [0.0] * self.size),
        )

    def add_prompt(self, sample: Sample, group: str) -> None:
        """Count a prompt in the slice in which it was intended."""
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
        """Count an attempt in the slice in which it was sent."""
        at = self.slice(attempt.start)
        self.sent[at] += 1
        self.outcomes[attempt.outcome][at] += 1

    def add_second(self, second: ServiceSecond) -> None:
        """Add one second of one provider."""
        if not 0 <= second.t < self.end:
            return
        side, at = self.providers[second.provider], self.slice(second.t)
        side.offered[at] += second.offered
        side.queued[at] = max(side.queued[at], second.queued)
        side.running[at] = max(side.running[at], second.running)
        side.capacity[at] += second.capacity

    def total(self, counts: Mapping[str, Sequence[int]], groups: Iterable[str] | None = None) -> list[int]:
        """Slice by slice, the sum of the counts of these groups; of all when they are None."""
        chosen = counts.values() if groups is None else (counts[name] for name in groups if name in counts)
        return [sum(each) for each in zip(self._zeros(), *chosen, strict=True)]

    def slice(self, t: float) -> int:
        """The index of the slice that contains t, 0 <= t < end."""
        return int(t // self.width)

    def whole_slices(self, span: tuple[float, float]) -> tuple[int, int]:
        """The first slice that lies wholly within the span, and the one after the last."""
        return ceil(span[0] / self.width), int(span[1] / self.width)

    def _zeros(self) -> list[int]:
        return [0] * self.size
