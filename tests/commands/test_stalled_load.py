"""A load process that hangs in the middle of a run is killed, and run.json says so."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mockbot.commands import run
from mockbot.commands.run_observers import Observers
from mockbot.errors import ExitCode
from mockbot.evidence.records import Progress, RunInfo
from mockbot.report.live_view import LiveView
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run_info, write_run_info
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.commands.build import SHORT


@pytest.mark.live
def test_a_load_process_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It told of its progress once; here half a second without another word is enough."""
    monkeypatch.setattr(run, "STALLED", 0.5)
    scenario = read_scenario(SHORT)
    folder = RunFolder.create(scenario, tmp_path / "out")
    write_run_info(folder, RunInfo(scenario.name, 1.0, 1e9, "failed", 0.0, "embedded"))
    with JournalWriter(folder, (RunFile.PROGRESS,)) as journal:
        journal.write(Progress(1.0, "calm", (), 1, 0, 1.0, None, None))
    timeline = Timeline(scenario)
    hung = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)

    run._show_progress(hung, folder, LiveView(Console(quiet=True), timeline), None, Observers(timeline))

    info = read_run_info(folder)
    assert hung.returncode == -9
    assert info is not None
    assert (info.ended, info.why.split(" and ")[0]) == ("failed", "the load process stood still for 0.5 s")


@pytest.mark.live
def test_a_load_process_that_is_killed_before_its_first_word_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log has no last line to show; the run is inconclusive."""
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    monkeypatch.setattr(run, "_locust_command", lambda *_: killed)

    code = run.run_command(read_scenario(SHORT), run.RunOptions(out=tmp_path / "out"), Console(quiet=True))

    info = read_run_info(RunFolder(tmp_path / "out"))
    assert code == ExitCode.INCONCLUSIVE
    assert info is not None
    assert info.why.endswith("locust.log is empty, as when it is killed")
