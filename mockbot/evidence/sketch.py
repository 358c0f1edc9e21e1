"""Durations in, percentiles out, in constant memory, within 0.2 % of the exact value and independent of their order.

A duration that never ended counts as longer than all others, so that a percentile may be infinite and a total outage
cannot look fast. The finite ones are counted in the bins of a DDSketch: floats of any size, relative error, mergeable.
"""

import math

from mockbot.measures.percentiles import ACCURACY

NOTHING = 1e-9  # seconds below which a duration is 0

# The bins of a DDSketch (Masson, Rim, Lee: "DDSketch", PVLDB 12(12), 2019, §2.1): bin k holds the durations in
# (gamma^(k-1), gamma^k], gamma = (1 + accuracy) / (1 - accuracy). Its value 2 gamma^k / (1 + gamma) is within
# `accuracy`, relative, of all of them. Both formulas as in `ddsketch.mapping.LogarithmicMapping` 3.0.
_EXCESS = 2 * ACCURACY / (1 - ACCURACY)  # gamma - 1
_SCALE = 1 / math.log((1 + ACCURACY) / (1 - ACCURACY))
_OCTAVE = 1 / math.log1p(_EXCESS) * math.log(2)
_MIDDLE = 2 / (1 + (1 + _EXCESS))
_ZERO = -(1 << 30)  # the bin of a duration of nothing, below all others


def _bin(seconds: float) -> int:
    return math.ceil(math.log(seconds) * _SCALE) if seconds > NOTHING else _ZERO


class Sketch:
    """A multiset of durations in seconds."""

    __slots__ = ("_bins", "_micros", "finite", "never")

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self._micros = 0  # whole microseconds, because a sum of floats depends on the order
        self.finite = 0
        self.never = 0

    def __len__(self) -> int:
        return self.finite + self.never

    def add(self, seconds: float) -> None:
        """Count a duration that ended. A negative one, from two clocks that disagree, counts as 0."""
        key = _bin(seconds)
        if key != _ZERO:
            self._micros += int(seconds * 1e6)
        bins = self._bins
        bins[key] = bins.get(key, 0) + 1
        self.finite += 1

    def merge(self, other: "Sketch", times: int = 1) -> None:
        """Add all durations of another sketch, each so many times."""
        bins = self._bins
        for key, count in other._bins.items():
            bins[key] = bins.get(key, 0) + times * count
        self._micros += times * other._micros
        self.finite += times * other.finite
        self.never += times * other.never

    def mean(self) -> float | None:
        """The mean of the durations that ended; None when none did."""
        return self._micros / 1e6 / self.finite if self.finite else None

    def share_within(self, seconds: float) -> float:
        """The share of all that ended and took no longer, to within a bin; not a number when there are none."""
        if not len(self):
            return math.nan
        last = math.inf if math.isinf(seconds) else _bin(seconds)
        return sum(count for key, count in self._bins.items() if key <= last) / len(self)

    def quantile(self, q: float) -> float | None:
        """The smallest value that a share `q` (0 < q <= 1) of all does not exceed; None when there are none."""
        if not len(self):
            return None
        # Rounded first, since 0.07 * 100 is 7.000000000000001 in floats, which must not become rank 8.
        rank = math.ceil(round(q * len(self), 9))
        for key in sorted(self._bins):
            rank -= self._bins[key]
            if rank <= 0:
                return 0.0 if key == _ZERO else math.pow(2.0, key / _OCTAVE) * _MIDDLE
        return math.inf
