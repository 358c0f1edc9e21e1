"""The child's side of a `ManagedProcess`: print one ready line on stdout, and exit when stdin ends.

Only the parent holds the write end of the child's stdin. However the parent ends, `kill -9` included, the kernel closes
that end and the child reads EOF. Only the standard library, so that a child starts fast.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress


def report_ready(ready: Mapping[str, object]) -> None:
    """Print one line of JSON for the parent: everything listens, and where."""
    print(json.dumps(ready), flush=True)  # noqa: T201 - the parent reads this line


def wait_for_stdin_to_end() -> None:
    """Block until the parent has closed this stdin or has ended; what it writes there is dropped."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass


def when_stdin_ends(leave: Callable[[], object]) -> None:
    """Call `leave()` once stdin has ended, from a daemon thread."""

    def watch() -> None:
        wait_for_stdin_to_end()
        leave()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
