"""What providers got, appended to a file from which spans are made; nothing of it stays in memory."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mockbot.errors import TestbedError
from mockbot.evidence.records import Request
from mockbot.runs.journal_files import to_line
from mockbot.service.control_client import ServiceControl


def write_requests(file: Path, requests: Iterable[Request]) -> None:
    """Append a line for each. Raises TestbedError."""
    try:
        with file.open("ab") as out:
            out.write(b"".join(to_line(replace(each, key="")) for each in requests))  # a key may be a real one
    except OSError as error:
        raise TestbedError(f"{file} cannot be written: {error.strerror}; make room and run again") from None


@dataclass
class TracedRequests:
    """A service's requests: `look` regularly, not before the run has begun, which drops what was before; `finish` once.

    A service that does not answer is on record elsewhere, and is asked again by the next look. A file that cannot be
    written is no reason to end the run: `failed` says why, and nothing more is written.
    """

    service: ServiceControl
    file: Path
    failed: str = ""
    _taken: int = 0

    def __post_init__(self) -> None:
        """The service records from now on."""
        self.service.record_requests()

    def look(self) -> None:
        """Append the requests that have ended since the last look."""
        with suppress(TestbedError):
            ended, _ = self.service.requests(self._taken)
            self._taken += len(ended)
            self._write(ended)

    def finish(self) -> None:
        """The last look, at the end of the run: requests under way are written as unfinished."""
        with suppress(TestbedError):
            self._write([each for part in self.service.requests(self._taken) for each in part])

    def _write(self, requests: Iterable[Request]) -> None:
        if self.failed:  # a line may be torn
            return
        try:
            write_requests(self.file, requests)
        except TestbedError as error:
            self.failed = str(error)
