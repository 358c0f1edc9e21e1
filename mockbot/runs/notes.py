"""What the participants of a drill write down, in the run's folder: `mockbot note`, one line of JSON each."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mockbot.errors import UsageError
from mockbot.runs.folder import RunFile, RunFolder

Kind = Literal["note", "detected", "mitigated", "over", "aborted"]


@dataclass(frozen=True, slots=True)
class Note:
    """`at`: Unix time; `kind`: what the participant believes from then on."""

    at: float
    kind: Kind
    says: str


_NOTE = TypeAdapter(Note)


def add_note(folder: RunFolder, kind: Kind, says: str) -> Note:
    """Append it; a line is written at once, so that those of several people do not mix. UsageError without a run."""
    _with_run(folder)
    note = Note(round(time.time(), 3), kind, says)
    with (folder / RunFile.NOTES).open("ab") as file:
        file.write(_NOTE.dump_json(note) + b"\n")
    return note


def read_notes(folder: RunFolder) -> list[Note]:
    """All of them in the order of time. UsageError for a line that is none."""
    path = folder / RunFile.NOTES
    lines = path.read_bytes().splitlines() if path.exists() else []
    notes = []
    for number, line in enumerate(lines, 1):
        try:
            notes.append(_NOTE.validate_json(line))
        except ValidationError:
            raise UsageError(f"{path}:{number}: not a note of `mockbot note`; delete the line") from None
    return sorted(notes, key=lambda note: note.at)


def abort(folder: RunFolder) -> None:
    """End every fault of the run at the driver's next look, and note it."""
    add_note(folder, "aborted", "every fault is ended")
    (folder / RunFile.ABORT).touch()


def _with_run(folder: RunFolder) -> None:
    if not Path(folder / RunFile.SCENARIO).exists():
        raise UsageError(f"{folder.path}: no run is in this folder; name the one of the drill by --run")
