"""Timers for all stages of an engine on one timer of the event loop: moments in, calls out, in order.

They share the event loop's turns, too: work that `spent` stops goes on with `after(0, ...)`, behind whatever else the
loop has to do, so that no toxic holds up another proxy or the control port.

An entry of this heap costs a fraction of a timer of the loop, and one wake-up serves all chunks that are due together.
Cancelled entries are dropped when they come up, or when they are the majority.
"""

import asyncio
import heapq
import math
from collections.abc import Callable
from itertools import count

from mockbot.clock import monotonic

EARLY = 0.0002  # seconds that a call may come too soon: a shorter wait is not worth a wake-up
TURN = 0.001  # seconds of work before the event loop looks at its sockets again
CLEANED_FROM = 64  # cancelled entries; fewer are not worth rebuilding the heap


class Entry:
    """One call to come."""

    __slots__ = ("_timers", "call")

    def __init__(self, timers: "LoopTimers", call: Callable[[], None]) -> None:
        self._timers = timers
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._timers.one_less()


class LoopTimers:
    """On the monotonic clock.

    uvloop counts whole milliseconds from a clock that stands still within a round. A timer rounded down would come too
    soon, be armed again for 0 ms, and spin until its time; so there it is set to the first whole millisecond at which
    it is due.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._whole = type(loop).__module__.startswith("uvloop")
        self._heap: list[tuple[float, int, Entry]] = []
        self._order = count()
        self._handle: asyncio.TimerHandle | None = None
        self._armed = math.inf
        self._cancelled = 0
        self._turn_ends: float | None = None

    now = staticmethod(monotonic)

    def after(self, seconds: float, call: Callable[[], None]) -> Entry:
        due = monotonic() + seconds
        entry = Entry(self, call)
        heapq.heappush(self._heap, (due, next(self._order), entry))
        if due < self._armed:
            self._arm(due)
        return entry

    def spent(self) -> bool:
        """Whether this turn of the event loop has had its time; the first who asks in a turn begins it."""
        if self._turn_ends is None:
            self._turn_ends = monotonic() + TURN
            self._loop.call_soon(self._next_turn)
        return monotonic() >= self._turn_ends

    def _next_turn(self) -> None:
        self._turn_ends = None

    def one_less(self) -> None:
        """An entry was cancelled."""
        self._cancelled += 1
        if self._cancelled > CLEANED_FROM and 2 * self._cancelled > len(self._heap):
            self._heap = [item for item in self._heap if item[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _arm(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        seconds = due - monotonic()
        if self._whole:
            ahead = due - self._loop.time()
            seconds = math.ceil((ahead - EARLY) * 1000) / 1000
        self._armed = due
        self._handle = self._loop.call_later(max(0.0, seconds), self._fire)

    def _fire(self) -> None:
        self._handle, self._armed = None, -math.inf  # no call from below needs to arm
        try:
            while self._heap and self._heap[0][0] <= monotonic() + EARLY and not self.spent():
                entry = heapq.heappop(self._heap)[2]
                call, entry.call = entry.call, None
                if call is None:
                    self._cancelled = max(0, self._cancelled - 1)
                else:
                    call()
        finally:
            self._armed = math.inf
            if self._heap:
                self._arm(self._heap[0][0])
