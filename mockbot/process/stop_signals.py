"""SIGINT and SIGTERM end a command wherever its main thread is, and never leave it hanging.

A KeyboardInterrupt inside Python's import system can leave the lock of all imports held: the next thread that imports
waits for ever, and whoever joins it too (importlib._bootstrap, `_imp.acquire_lock` before its `try`). One inside a
destructor or a callback of a weak reference is dropped. Both are put off by a timer.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.02  # wall seconds until an interrupt that came at a bad moment is raised again
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


def interrupt(number: int, frame: FrameType | None) -> None:
    """The handler of a signal: KeyboardInterrupt, but after an import that is under way."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_SYSTEM:
            _send_later(number)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def repeat_dropped_interrupts() -> None:
    """Send SIGINT again when Python has dropped a KeyboardInterrupt. To be called in the main thread."""
    tell = sys.unraisablehook

    def hook(args: "UnraisableHookArgs") -> None:
        if issubclass(args.exc_type, KeyboardInterrupt):
            _send_later(signal.SIGINT)
        else:
            tell(args)

    sys.unraisablehook = hook


def _send_later(number: int) -> None:
    """A timer and not a thread, which a handler may not start: it may have interrupted the start of another."""
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
    signal.setitimer(signal.ITIMER_REAL, AGAIN)


@contextmanager
def first_signal_calls(stop: Callable[[], object]) -> Iterator[None]:
    """Within the block the first signal calls `stop`, which runs between two instructions: it may only leave a message.

    What the main thread is starting is not left half done. The signals after the first, and those after the block, do
    what they did before.
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
