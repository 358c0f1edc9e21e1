"""A worker that leaves before the end is lost, however it left; records that cannot be written end the run."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from mockbot.evidence.records import Prompt
from mockbot.load.run_recorder import RunRecorder
from mockbot.runs.folder import RunFolder
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import prompt, scenario
from tests.load.conftest import Inside


@pytest.mark.second
def test_a_worker_that_leaves_for_any_reason_is_lost(inside: Inside) -> None:
    """Killed, ended in good order by a signal, or not answering for a while: its users were missing."""
    assert inside("leaving_workers") == {"to the end": 0, "a signal": 1, "killed": 1, "away for a while": 1}


def test_a_disk_that_is_full_is_noticed_though_it_has_room_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The users and the driver go on; the first reason is kept, with which the run ends."""
    recorder = RunRecorder(RunFolder.create(scenario(), tmp_path / "run"), 1.0, 10.0)

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        recorder.take(prompt(1.0))
    recorder.take(prompt(2.0))
    recorder.close()

    assert recorder.broken == "journal.jsonl cannot be written: No space left on device; make room and run again"


def test_a_worker_on_another_machine_measures_its_clock_against_the_masters(inside: Inside) -> None:
    """The master is 1,000 s ahead. Of three exchanges the one with the shortest round trip counts: 0.2 s, whose ways
    took 0.1 s each, so that it finds exactly 1,000 s.
    """
    assert inside("pinging") == [999.8, 1000.0, 1000.0]


def test_good_in_the_live_view_is_what_the_report_calls_good(tmp_path: Path) -> None:
    """Answered after 60 s where 10 s are good, and two prompts that wait for longer: nobody is well."""
    recorder = RunRecorder(RunFolder.create(scenario(), tmp_path / "run"), 1.0, 10.0)
    recorder.take(Prompt("a-1.1", "a-1", "a", "free", 0.0, 0.0, 60.0, "answered", 1, "main"))

    late = recorder.progress(Timeline(scenario()).at(60.0), 3, 2, 3, {20: 2})
    recorder.take(Prompt("a-2.1", "a-2", "a", "free", 50.0, 50.0, 51.0, "answered", 1, "main"))
    better = recorder.progress(Timeline(scenario()).at(60.0), 3, 0, 3, {})

    assert (late.good, late.latency_p50) == (0.0, None)
    assert (better.good, better.latency_p50) == (0.5, 1.0)
