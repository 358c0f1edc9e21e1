"""Start a server of ours as a child process that cannot outlive us, and learn its addresses from its first line.

The rule: a child holds the read end of a pipe (its stdin) whose only write end is ours. However we end, `kill -9`
included, the kernel closes that end, the child reads EOF and leaves (`leased.py`). Children sit in sessions of their
own, so that Ctrl-C reaches only us.
"""

import contextlib
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from mockbot.errors import TestbedError

READY_WITHIN = 40.0  # wall seconds; importing FastAPI on a busy machine takes a few
LEAVE_WITHIN = 5.0
WORDS = 1000  # bytes of its log that an error quotes


class Child:
    """`python -m <arguments>`, which prints one JSON object once it is ready and leaves when its stdin ends.

    Raises TestbedError with its last words when it ends or stays silent instead. `log` keeps its stderr.
    """

    def __init__(self, arguments: Sequence[str], log: Path | None = None) -> None:
        with contextlib.ExitStack() as stack:
            kept = log or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
            self._log = stack.enter_context(kept.open("w+b"))
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,
            )
            stack.callback(self._end)
            self.ready: Mapping[str, object] = self._ready_line(arguments[0], log)
            self._cleanup = stack.pop_all()

    @property
    def url(self) -> str:
        """Its control port."""
        return str(self.ready["control"])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def tell(self, line: str) -> None:
        """One line to its stdin; TestbedError when it has ended."""
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(f"{line}\n".encode())
                stdin.flush()
        except OSError as error:
            raise TestbedError(f"the child {self._process.args!r} has ended: {error}") from None

    def close(self) -> None:
        """End it and wait for its end. Safe to call again."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ready_line(self, name: str, log: Path | None) -> Mapping[str, object]:
        stdout, where = self._process.stdout, f"; its log is {log}" if log else ""
        if stdout is None or not select.select([stdout], [], [], READY_WITHIN)[0]:
            raise TestbedError(f"{name} did not become ready within {READY_WITHIN:.0f} s{where}")
        line = stdout.readline()
        if not line.strip():
            raise TestbedError(f"{name} ended before it was ready: {self._last_words() or 'it said nothing'}{where}")
        return cast("Mapping[str, object]", json.loads(line))

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read()[-WORDS:].decode("utf-8", "replace").strip()

    def _end(self) -> None:
        """Close the lease, give the child a moment to leave, then kill it."""
        process = self._process
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(LEAVE_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
