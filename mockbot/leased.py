"""What a server of ours does as a child process: it runs on the faster event loop, and leaves when it is told to.

The other side of `child.py`: the rule that stdin's end is the order to leave lives here.
"""

import asyncio
import contextlib
import os
import signal
import threading


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where there is one: its timers keep the tail of the latency toxic shorter."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def time_to_leave(*, leased: bool) -> asyncio.Event:
    """Set at SIGINT, SIGTERM and, when leased, at the end of stdin. To be called inside the running loop."""
    ends, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ends.set)
    if leased:
        threading.Thread(target=_wait_for_stdin, args=(loop, ends), name="lease", daemon=True).start()
    return ends


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, ends: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended for another reason
        loop.call_soon_threadsafe(ends.set)
