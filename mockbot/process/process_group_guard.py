"""Run the user's command so that it cannot outlive us: `python -m mockbot.process.process_group_guard COMMAND...`.

The guard exits as the command does (128 + n when signal n ended it). When its stdin ends, which no `kill -9` of its
parent can prevent, the command's process group gets SIGTERM, and SIGKILL after PATIENCE seconds; then also what the
command has started outside of its group. The command reads nothing from stdin.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mockbot.process.lifeline import when_stdin_ends
from mockbot.process.process_group import MARK, end, end_marked, signal_group

PATIENCE = 3.0  # seconds that the command has between SIGTERM and SIGKILL
GUARD_PATIENCE = 5.0  # seconds that the guard has to end the command and itself


@contextmanager
def guarded(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The command behind a guard, whose exit code is the command's; both are gone when the block ends.

    A negative exit code: a signal ended the guard itself.
    """
    mark = secrets.token_hex(8)
    process = subprocess.Popen(
        # -P: a file of the user's that is named like a module must not be imported in place of it.
        [sys.executable, "-P", "-m", __name__, *argv],
        stdin=subprocess.PIPE,
        env={**environment, MARK: mark},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process, lambda: process.stdin and process.stdin.close(), GUARD_PATIENCE)
        end_marked(mark, PATIENCE)


def main(argv: Sequence[str]) -> int:
    """Run the command to its end, or to the end of stdin; its exit code."""
    process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, start_new_session=True)
    when_stdin_ends(lambda: end(process, lambda: signal_group(process, signal.SIGTERM), PATIENCE))
    code = process.wait()
    signal_group(process, signal.SIGKILL)  # what it has left running
    if mark := os.environ.get(MARK):
        end_marked(mark, PATIENCE)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
