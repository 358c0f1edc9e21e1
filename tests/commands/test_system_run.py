"""What a run with a system under test says when not the system but its guard has ended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from mockbot.commands.system_run import WatchedSystem
from mockbot.errors import TestbedError
from mockbot.evidence.records import Request, RunInfo
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import SYSTEM_JOURNALS, Follower, JournalWriter
from tests.observability.test_trace_spans import request

INFO = RunInfo("short", 1.0, 1000.0, "completed", 10.0, "embedded", records={})


class Service:
    """Its requests end one after the other; it does not answer from the look `dies` on."""

    def __init__(self, dies: int) -> None:
        self.looks, self.dies = 0, dies

    def requests(self, since: int) -> tuple[list[Request], list[Request]]:
        """As the control API: by now as many have ended as there were looks; the next one is under way."""
        self.looks += 1
        if self.looks >= self.dies:
            raise TestbedError("no answer")
        return [request(number=n) for n in range(since, self.looks)], [request(number=self.looks)]


def watched(tmp_path: Path, dies: int) -> tuple[list[int], RunInfo]:
    """The numbers of the requests on record after two looks and the last one, and run.json."""
    running, addresses = SimpleNamespace(ended=None), SimpleNamespace(interceptor="")
    folder, none = RunFolder(tmp_path), cast("Any", None)
    with JournalWriter(folder, SYSTEM_JOURNALS) as journal:
        system = WatchedSystem(cast("Any", running), none, cast("Any", addresses), cast("Any", Service(dies)), journal)
        system.look()
        system.look()
        system.finish()
        info = system.noted(INFO)
    return [each.number for each in Follower(folder / RunFile.REQUESTS, Request).new()], info


def test_each_request_is_on_record_once_though_they_end_meanwhile(tmp_path: Path) -> None:
    """Those that have ended and those under way are of one moment."""
    numbers, info = watched(tmp_path, 99)

    assert numbers == [*range(len(numbers))]
    assert info.ended == "completed"


def test_a_service_that_dies_amid_a_run_leaves_a_run_that_can_be_judged(tmp_path: Path) -> None:
    """Its death is on record elsewhere; what it has not told any more makes the run inconclusive."""
    numbers, info = watched(tmp_path, 2)

    assert numbers == [0]
    assert info.ended == "failed"
    assert info.why == "the last records of the testbed are missing (no answer)"


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
