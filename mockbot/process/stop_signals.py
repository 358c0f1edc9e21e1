"""The first SIGINT or SIGTERM asks for an orderly end, instead of a KeyboardInterrupt wherever the main thread is.

An exception in the middle of a start leaves what was being started half done; one inside a destructor or a callback of
a weak reference is dropped by Python, and with it the user's wish to end.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.02  # wall seconds after which an interrupt that was dropped is raised again


@contextmanager
def first_signal_calls(stop: Callable[[], object]) -> Iterator[None]:
    """Within the block, of the main thread. `stop` runs between two of its instructions: it may only leave a message.

    The signals after the first, and those after the block, do what they did before.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def first(_number: int, _frame: FrameType | None) -> None:
        restore()
        stop()

    for number in SIGNALS:
        signal.signal(number, first)
    try:
        yield
    finally:
        restore()


def repeat_dropped_interrupts() -> None:
    """Send SIGINT again when Python has dropped the KeyboardInterrupt of a signal, as it does inside destructors."""
    tell = sys.unraisablehook

    def hook(args: "UnraisableHookArgs") -> None:
        if issubclass(args.exc_type, KeyboardInterrupt):
            again = threading.Timer(AGAIN, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            tell(args)

    sys.unraisablehook = hook
