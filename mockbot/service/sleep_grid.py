"""Timed sleeps of thousands of streams: each ends on a grid of 5 wall ms, with one timer for all that end together.

A timer per stream costs more CPU than writing its tokens (measured with 2,000 streams). The grid may delay a token by
5 ms; streams write at most every 10 ms.
"""

import asyncio
import math

GRID = 0.005  # wall seconds


class Ticker:
    """All sleeps of one event loop."""

    __slots__ = ("_ends", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ends: dict[int, list[asyncio.Future[None]]] = {}

    def sleep(self, seconds: float | None) -> "asyncio.Future[None]":
        """A future, done after so many seconds, rounded up to the grid (None: never by itself)."""
        future = self._loop.create_future()
        if seconds is not None:
            tick = math.ceil((self._loop.time() + seconds) / GRID)
            ends = self._ends.get(tick)
            if ends is None:
                ends = self._ends[tick] = []
                self._loop.call_at(tick * GRID, self._end_sleeps, tick)
            ends.append(future)
        return future

    def _end_sleeps(self, tick: int) -> None:
        for future in self._ends.pop(tick):
            if not future.done():
                future.set_result(None)


class Alarm:
    """One coroutine's sleep, which others may end early: `await alarm.sleep(seconds)`."""

    __slots__ = ("_future", "_ticker")

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._future: asyncio.Future[None] | None = None

    def sleep(self, seconds: float | None) -> "asyncio.Future[None]":
        """As `Ticker.sleep`, and done early when `wake` is called."""
        self._future = self._ticker.sleep(seconds)
        return self._future

    def wake(self, *_: object) -> None:
        """End the sleep, if there is one."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
