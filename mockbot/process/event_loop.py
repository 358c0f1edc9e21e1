"""The event loop of a server process: which implementation it runs on, how long work shares it, and what ends it."""

import asyncio
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from mockbot.process.lifeline import when_stdin_ends

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where there is one: its timers keep the tail of the latency toxic shorter."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        loop = asyncio.new_event_loop()
        # The same clock as ever, by a name that the test suites of our users do not freeze.
        loop.time = partial(time.clock_gettime, time.CLOCK_MONOTONIC)  # type: ignore[method-assign]
        return loop
    return uvloop.new_event_loop()


async def in_turns(items: Iterable[T]) -> tuple[T, ...]:
    """All items; the loop has a turn after each, so that what is slow to make holds up nobody else."""
    made: list[T] = []
    for item in items:
        made.append(item)
        await asyncio.sleep(0)
    return tuple(made)


def stop_event(*, leased: bool) -> asyncio.Event:
    """Set at SIGINT, SIGTERM and, when leased, at the end of stdin. To be called inside the running loop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def stdin_has_ended() -> None:
        with suppress(RuntimeError):  # the loop has ended for another reason
            loop.call_soon_threadsafe(stop.set)

    if leased:
        when_stdin_ends(stdin_has_ended)
    return stop
