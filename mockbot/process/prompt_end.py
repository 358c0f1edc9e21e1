"""A command ends soon after SIGINT or SIGTERM, with exit code 130, though native code keeps its main thread busy.

Python runs a signal's handler in the main thread, between two of its instructions: not while LLVM compiles, not while a
long array is worked on. The signal itself writes to a pipe at once (`signal.set_wakeup_fd`), and a thread reads it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

GRACE = 1.5  # wall seconds that the main thread has to write and tell what is done
_ENDS = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def ends_promptly() -> Iterator[None]:
    """Of the main thread only. A signal within the block leaves GRACE seconds for an orderly end."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    Thread(target=_end_after_a_signal, args=(reader,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)


def _end_after_a_signal(reader: int) -> None:
    while (number := os.read(reader, 1)) and number[0] not in _ENDS:
        pass
    os.close(reader)
    if number:
        Event().wait(GRACE)
        os.write(2, b"mockbot: interrupted, and ended before it could judge what is done\n")
        os._exit(130)
