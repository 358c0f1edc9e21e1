"""Two counts over the last `seconds`, in slices: what was asked and what succeeded or was spent. Pure; constant memory.

|  0 |  1 |  2 | ... | 9 |    a slice is window/10 long; the oldest one leaves when a new one begins
"""

from collections import deque

SLICES = 10


class Window:
    """`asked` and `got` are the sums over the slices that `now` has not left behind (Finagle's WindowedAdder)."""

    def __init__(self, seconds: float) -> None:
        self._slice = seconds / SLICES
        self._slices: deque[list[float]] = deque()  # [number of the slice, asked, got]
        self.asked = 0.0
        self.got = 0.0

    def add(self, now: float, asked: float = 0.0, got: float = 0.0) -> None:
        """Count at `now`, and forget what is too old."""
        self.forget(now)
        number = now // self._slice
        if not self._slices or self._slices[-1][0] < number:
            self._slices.append([number, 0.0, 0.0])
        newest = self._slices[-1]
        newest[1] += asked
        newest[2] += got
        self.asked += asked
        self.got += got

    def forget(self, now: float) -> None:
        """Drop the slices that `now` has left behind."""
        oldest = now // self._slice - SLICES
        while self._slices and self._slices[0][0] <= oldest:
            _, asked, got = self._slices.popleft()
            self.asked -= asked
            self.got -= got

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self.asked = self.got = 0.0
