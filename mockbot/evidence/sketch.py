"""Durations in, percentiles out: in constant memory, within 0.2 % of the exact value, the same whatever the order they
came in.

A duration that never ended is counted too, above all others, so that a percentile may be infinite and a total outage
cannot look fast. The finite ones are in a DDSketch (Masson, Rim, Lee, VLDB 2019): floats of any size, relative error,
mergeable.
"""

import math

from ddsketch import DDSketch

ACCURACY = 0.002  # relative, of every finite percentile


class Sketch:
    """A multiset of durations in seconds."""

    __slots__ = ("_finite", "_micros", "never")

    def __init__(self) -> None:
        self._finite = DDSketch(ACCURACY)
        self._micros = 0  # whole microseconds, because a sum of floats depends on the order
        self.never = 0

    def __len__(self) -> int:
        return self.finite + self.never

    @property
    def finite(self) -> int:
        """How many of them ended."""
        return int(self._finite.count)

    def add(self, seconds: float) -> None:
        """One that ended. A negative one is two clocks that disagree, and counts as 0."""
        seconds = max(0.0, seconds)
        self._finite.add(seconds)
        self._micros += round(seconds * 1e6)

    def merge(self, other: "Sketch") -> None:
        """Add all of another's."""
        self._finite.merge(other._finite)
        self._micros += other._micros
        self.never += other.never

    def mean(self) -> float | None:
        """Of those that ended; None when none did."""
        return self._micros / 1e6 / self.finite if self.finite else None

    def quantile(self, q: float) -> float | None:
        """The smallest value that a share `q` (0 < q <= 1) of all does not exceed; None when there are none."""
        if not len(self):
            return None
        rank = math.ceil(round(q * len(self), 9))
        if rank > self.finite:
            return math.inf
        return _value(self._finite, rank)


def _value(sketch: DDSketch, rank: int) -> float:
    """The rank-th smallest, 1 <= rank <= count. DDSketch numbers them from 0 and takes a share of the last number."""
    last = sketch.count - 1
    value = sketch.get_quantile_value(min(1.0, (rank - 0.75) / last) if last else 0.0)
    return float(value or 0.0)
