"""Start a server of ours as a child process that cannot outlive us, and learn its addresses from its first line.

The rule: a child holds the read end of a pipe (its stdin) whose only write end is ours. However we end, `kill -9`
included, the kernel closes that end, the child reads EOF and leaves. Children sit in sessions of their own, so that
Ctrl-C reaches only us.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from mockbot.errors import TestbedError

READY_WITHIN = 30.0  # wall seconds; importing FastAPI on a busy machine takes a few
LEAVE_WITHIN = 5.0


@contextmanager
def server_child(name: str, arguments: Sequence[str], log: Path) -> Iterator[dict[str, object]]:
    """Run `python -m <arguments> --lease-stdin` until the block ends; yields the JSON object it prints once ready.

    Raises TestbedError when it ends or stays silent instead; its stderr is kept in `log`.
    """
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--lease-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            text=True,
        )
        try:
            yield _ready_line(name, process, log)
        finally:
            end(process)


def end(process: "subprocess.Popen[str]", within: float = LEAVE_WITHIN) -> None:
    """Close the lease, give the child a moment to leave, then kill it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _ready_line(name: str, process: "subprocess.Popen[str]", log: Path) -> dict[str, object]:
    lines: list[str] = []
    stdout = cast("IO[str]", process.stdout)
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(READY_WITHIN)
    if not lines:
        process.kill()
        raise TestbedError(f"the {name} did not become ready within {READY_WITHIN:.0f} s; its log is {log}")
    if not lines[0].strip():
        raise TestbedError(f"the {name} ended before it was ready ({_last_words(log)}); its log is {log}")
    return cast("dict[str, object]", json.loads(lines[0]))


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
