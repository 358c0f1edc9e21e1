"""Start a server as a child process that cannot outlive this one, and read its addresses from its first line.

The rule is that of `lifeline`: only this process holds the write end of the child's stdin, and the child exits when
stdin ends. The child leads a session of its own, so that Ctrl-C reaches only this process.
"""

import json
import logging
import os
import secrets
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Self, cast

from mockbot.errors import REPORT_IT, TestbedError
from mockbot.process.process_group import MARK, end, end_marked

READY_WITHIN = 40.0  # wall seconds; importing FastAPI on a busy machine takes a few
LEAVE_WITHIN = 5.0
QUOTED = 1000  # bytes of its log that an error quotes
log = logging.getLogger("mockbot")


class ManagedProcess:
    """`python -m <arguments>`, which prints one JSON object when it is ready and exits when its stdin ends.

    Raises TestbedError with the end of its log when it exits or prints nothing instead. `log` keeps its stderr; without
    one it goes to a file without a name, which no `kill -9` leaves behind. `told`: a line for its stdin. `handed`:
    descriptors that it inherits.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path | None = None, told: str | None = None, handed: Sequence[int] = ()
    ) -> None:
        self._mark, self._name = secrets.token_hex(8), arguments[0]
        with ExitStack() as stack:
            self._log: IO[bytes]
            if log is None:
                self._log = stack.enter_context(tempfile.TemporaryFile())
            else:
                self._log = stack.enter_context(log.open("w+b"))
            self._process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-P", "-m", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    env={**os.environ, MARK: self._mark},
                    start_new_session=True,
                    pass_fds=handed,
                )
            )
            assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018, S101
            self._stdin, self._stdout = self._process.stdin, self._process.stdout
            stack.callback(self._end)
            if told is not None:
                with suppress(TestbedError):  # it has ended already; its log says why
                    self.tell(told)
            self.ready = self._read_ready_line(arguments[0], log)
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
        try:
            self._stdin.write(f"{line}\n".encode())
            self._stdin.flush()
        except OSError as error:
            raise TestbedError(f"the child {self._process.args!r} has ended: {error}") from None

    def hear(self) -> Mapping[str, object]:
        """Its next line, an object in JSON, however long it takes. Raises TestbedError with the end of its log."""
        if line := self._stdout.readline().strip():
            return cast("Mapping[str, object]", json.loads(line))
        raise TestbedError(f"{self._name} ended before it had answered: {self._tail()}; {REPORT_IT}")

    def close(self) -> None:
        """End it and wait for its end; a warning when it has left before. Safe to call again."""
        if not (self._stdin.closed or self.alive):
            log.warning("%s ended by itself, with exit code %s", self._name, self._process.returncode)
        self._cleanup.close()

    def _end(self) -> None:
        end(self._process, self._stdin.close, LEAVE_WITHIN)
        if self._process.returncode < 0:  # killed, so that it could not end what it had started
            end_marked(self._mark, LEAVE_WITHIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_ready_line(self, name: str, log: Path | None) -> Mapping[str, object]:
        where = f"; its log is {log}" if log else ""
        if not select.select([self._stdout], [], [], READY_WITHIN)[0]:
            late = f"{name} did not become ready within {READY_WITHIN:.0f} s{where}"
            raise TestbedError(f"{late}; load this machine less")
        line = self._stdout.readline()
        if not line.strip():
            raise TestbedError(f"{name} ended before it was ready: {self._tail()}{where}; {REPORT_IT}")
        return cast("Mapping[str, object]", json.loads(line))

    def _tail(self) -> str:
        self._log.seek(0)
        return self._log.read()[-QUOTED:].decode("utf-8", "replace").strip() or "its log is empty"
