"""Runs somebody's command so that it cannot outlive us: `python leash.py COMMAND...`, stdin is the lease.

Exits as the command does (128 + n when signal n ended it). At the end of stdin, which no `kill -9` of its parent can
prevent, the command's whole process group is asked to end (SIGTERM) and after PATIENCE seconds ended. The command
reads nothing from stdin. Only the standard library, so that it starts fast.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

PATIENCE = 3.0


def main(argv: Sequence[str]) -> int:
    """Run the command to its end, or to the lease's; its exit code."""
    process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_the_lease, args=(process,), daemon=True).start()
    code = process.wait()
    _signal(process, signal.SIGKILL)  # what it has left running
    return code if code >= 0 else 128 - code


def _end_with_the_lease(process: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """To the whole group; whoever is gone already does not mind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
