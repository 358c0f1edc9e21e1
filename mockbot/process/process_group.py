"""End a process and everything that it started: ask, wait, then SIGKILL to its whole process group.

Every process here must have been started with `start_new_session=True`: it then leads a group of its own, and Ctrl-C
in the terminal does not reach it.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress


def signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to the group that `process` leads; nothing happens when no process of it is left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def end(process: "subprocess.Popen[bytes]", ask: Callable[[], object], patience: float) -> None:
    """`ask()` it to leave, give it `patience` seconds, then kill what is left of its group. Safe to call again."""
    try:
        with suppress(BrokenPipeError, ProcessLookupError):  # it has left already
            ask()
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    finally:  # also when Ctrl-C comes while we wait
        signal_group(process, signal.SIGKILL)
        process.wait()
