"""A signal, or the end of the parent process, ends a Locust process: an orderly stop that is recorded, then exit.

Locust installs its SIGTERM handler only after a headless shape is over, so that the usual way in which CI cancels a
job kills it without a record and leaves its workers running (research: locust §6). These handlers are installed at the
start. gevent must run them, which is why they are here and not in `mockbot.process`.
"""

import os
import signal
from collections.abc import Callable

import gevent

EVERY = 0.5  # wall seconds between two checks of the parent
LEAVE_WITHIN = 10.0  # wall seconds for an orderly end; then the process exits without one
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def on_signal(stop: Callable[[str], None]) -> None:
    """`stop(why)` once, at the first SIGINT or SIGTERM; a second one, or a stop that hangs, ends the process."""
    received: list[signal.Signals] = []

    def handle(number: signal.Signals) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(130)
        gevent.spawn_later(LEAVE_WITHIN, os._exit, 130)
        gevent.spawn(stop, "a signal stopped it")  # Ctrl-C reaches the parent, which sends SIGTERM here

    for number in SIGNALS:
        gevent.signal_handler(number, handle, number)


def on_orphaned(stop: Callable[[str], None]) -> None:
    """`stop(why)` when the process that started this one is gone."""
    parent = os.getppid()

    def watch_parent() -> None:
        while os.getppid() == parent:
            gevent.sleep(EVERY)
        gevent.spawn_later(LEAVE_WITHIN, os._exit, 130)
        stop("the process that started it is gone")

    gevent.spawn(watch_parent)
