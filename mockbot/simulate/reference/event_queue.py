"""What happens next: (moment, call, subject) in, each called at its moment and in order. Virtual time; nothing waits.

Events at the same moment happen in the order in which they were added, so that a run is the same every time.
"""

import gc
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeVar

_S = TypeVar("_S")


class Timer:
    """A call at a moment, unless it is cancelled; also a timer as the proxy's stages need one."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Nothing will happen."""
        self._call = None

    def ring(self, _: object = None) -> None:
        """Do it, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


class EventQueue:
    """The one clock and the one queue of a simulated run. `count`: events that were added so far."""

    __slots__ = ("_heap", "count", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self._heap: list[tuple[float, int, Callable[..., object], object]] = []

    def at(self, moment: float, call: Callable[[_S], object], subject: _S) -> None:
        """Call it then; at once (but after what is due already) when that has passed."""
        self.count += 1
        heappush(self._heap, (moment if moment > self.now else self.now, self.count, call, subject))

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """In so many seconds, unless it is cancelled."""
        timer = Timer(call)
        self.at(self.now + seconds, timer.ring, None)
        return timer

    def play(self, until: float) -> None:
        """Everything that is due by `until`; then it is that moment."""
        heap = self._heap
        collecting = gc.isenabled()
        gc.disable()  # the collector would scan all users again and again, to find next to nothing
        try:
            while heap and heap[0][0] <= until:
                self.now, _, call, subject = heappop(heap)
                call(subject)
        finally:
            if collecting:
                gc.enable()
        self.now = max(self.now, until)
