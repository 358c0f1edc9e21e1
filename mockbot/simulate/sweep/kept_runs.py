"""The runs of a sweep as they end, in `sweep.jsonl`: what the sweep is, then a line for each run.

The same sweep, asked for again, goes on from there, however it was ended before. The file is locked (flock) while a
process writes it: unlike a run's folder, one whose process was killed is free again.
"""

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from mockbot.errors import UsageError
from mockbot.runs.folder import RUNS, RunFile, RunFolder
from mockbot.simulate.sweep.grid import Ran, Sweep, Task
from mockbot.version import __version__

_LINE = TypeAdapter(tuple[Task, Ran])


class KeptRuns:
    """The open file in its folder."""

    def __init__(self, folder: RunFolder) -> None:
        """Raises BlockingIOError while another process writes it."""
        self.folder = folder
        self._known: set[Task] = set()
        self._file: BinaryIO = (folder / RunFile.SWEEP_RUNS).open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise

    def save(self, sweep: Sweep) -> None:
        """What it is, and its runs, as far as they are not in the file yet."""
        if not self._file.seek(0, os.SEEK_END):
            self._file.write(_identity(sweep))
        for task in sweep.ran.keys() - self._known:
            self.keep(task, sweep.ran[task])

    def keep(self, task: Task, ran: Ran) -> None:
        """One line, written at once."""
        self._known.add(task)
        self._file.write(_LINE.dump_json((task, ran)) + b"\n")

    def read(self, sweep: Sweep) -> dict[Task, Ran] | None:
        """Its runs; None when it is another sweep's."""
        self._file.seek(0)
        identity, *lines = self._file.read().splitlines(keepends=True) or [b""]
        if identity != _identity(sweep):
            return None
        found = {}
        for line in lines:
            try:
                task, ran = _LINE.validate_json(line)
            except ValidationError:  # the process was killed while it wrote this line
                continue
            found[task] = ran
        if lines and not lines[-1].endswith(b"\n"):
            self._file.write(b"\n")
        self._known = {*found}
        return found

    def close(self) -> None:
        """Let others write it."""
        self._file.close()


def interrupted(sweep: Sweep, out: Path | None) -> KeptRuns | None:
    """The file of the same sweep that did not come to its end: in `out`, or else the newest in runs/.

    The sweep gets its runs. Raises UsageError when another process writes to `out`.
    """
    folders = [out] if out is not None else sorted(RUNS.glob("*"), reverse=True)
    for path in folders:
        if (out is None and path.is_symlink()) or not (path / RunFile.SWEEP_RUNS).is_file():
            continue
        try:
            kept = KeptRuns(RunFolder(path))
        except BlockingIOError:
            if out is not None:
                raise UsageError(f"{path}: another process sweeps into this folder; name another one") from None
            continue
        runs = kept.read(sweep)
        if runs is not None and len(runs) < sweep.runs:
            sweep.ran |= runs
            return kept
        kept.close()
    return None


def _identity(sweep: Sweep) -> bytes:
    whole = {
        "mockbot": __version__,
        "engine": sweep.engine,
        "seeds": sweep.seeds,
        "axes": [asdict(axis) for axis in sweep.axes],
        "scenario": sweep.scenario.model_dump(mode="json"),
    }
    return json.dumps(whole, sort_keys=True).encode() + b"\n"
