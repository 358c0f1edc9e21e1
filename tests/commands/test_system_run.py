"""What a run with a system under test says when not the system but its guard has ended."""

from pathlib import Path
from typing import Any, cast

from mockbot.commands.system_run import WatchedSystem
from mockbot.evidence.records import RunInfo
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter

INFO = RunInfo("short", 1.0, 1000.0, "completed", 10.0, "embedded", records={})


def noted(tmp_path: Path, code: int) -> RunInfo:
    """run.json of a system that ended at second 4 with this code."""
    with JournalWriter(RunFolder(tmp_path), ()) as journal:
        nobody = cast("Any", None)
        return WatchedSystem(nobody, nobody, nobody, nobody, journal, None, [(1004.0, code)]).noted(INFO)


def test_a_system_that_ended_is_on_record(tmp_path: Path) -> None:
    """A finding about it; 137: signal 9 ended the system itself."""
    info = noted(tmp_path, 137)

    assert (info.ended, info.system_exits) == ("completed", ((4.0, 137),))


def test_a_guard_that_was_killed_says_nothing_about_the_system(tmp_path: Path) -> None:
    """The system may still run, and users may still be served."""
    info = noted(tmp_path, -9)

    assert (info.ended, info.why) == ("failed", "signal 9 ended the guard of the system; run it again")
    assert info.system_exits == ()
