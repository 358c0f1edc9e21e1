"""Ctrl-C in the middle of a simulated run: what is done is kept, and said to be less than the whole."""

import importlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from mockbot.commands.simulate import SimulateOptions, simulate_command
from mockbot.errors import ExitCode
from mockbot.evidence.records import Prompt
from mockbot.evidence.verdict import judge
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run, write_run_info
from mockbot.simulate.engines import EngineName
from mockbot.simulate.simulation import Memory, simulate
from tests.simulate.build import scenario


@pytest.mark.parametrize("engine", ["reference", pytest.param("fast", marks=pytest.mark.second)])
def test_what_was_simulated_until_ctrl_c_is_kept(
    tmp_path: Path, engine: EngineName, request: pytest.FixtureRequest
) -> None:
    """Two minutes of five are on record; the run is interrupted, and so it is inconclusive."""
    if engine == "fast":
        pytest.importorskip("numba")
        request.getfixturevalue("fast_is_compiled")

    def watch(now: float, _end: float) -> None:
        if now >= 120:
            raise KeyboardInterrupt

    folder = RunFolder.create(scenario(), tmp_path / "run")
    with JournalWriter(folder) as journal:
        write_run_info(folder, simulate(scenario(), sink=journal.write, engine=engine, watch=watch))
    run = read_run(folder)
    starts = [record.start for record in run.requests() if isinstance(record, Prompt)]

    assert (run.info.ended, run.info.end) == ("interrupted", 120.0)
    assert len(starts) > 100
    assert max(starts) <= 120
    assert judge(run).verdict == "inconclusive"


def test_who_watches_is_told_how_far_it_is() -> None:
    """Every scenario minute, with the last moment it may take: what the bar makes its time left of."""
    seen: list[tuple[float, float]] = []

    simulate(scenario(), sink=lambda _: None, engine="reference", watch=lambda now, end: seen.append((now, end)))

    assert [now for now, _ in seen] == [60.0, 120.0, 180.0, 240.0, 300.0]
    assert {end for _, end in seen} == {360.0}


def test_ctrl_c_ends_the_command_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of what is done are told, no further seed is begun, and scripts see an interruption."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mockbot.report.progress._Lines.report", interrupt)  # a scenario minute after the start
    code = simulate_command(SimulateOptions(scenario(), seeds=3, out=tmp_path / "run"), Console(quiet=True))

    assert code == ExitCode.INTERRUPTED
    assert read_run(RunFolder(tmp_path / "run")).info.ended == "interrupted"


@pytest.mark.second
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_obeyed_while_native_code_runs(tmp_path: Path, number: signal.Signals) -> None:
    """A million users, from an engine that numba may have to compile first: neither hears Python's handler in time.

    The run would take a minute. What it leaves is judged as what it is: an interrupted run.
    """
    pytest.importorskip("numba")
    command = [sys.executable, "-m", "mockbot", "simulate", "traffic-surge", "--users", "1e6", "--engine", "fast"]
    process = subprocess.Popen([*command, "--out", tmp_path / "run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process:
        while not (tmp_path / "run" / RunFile.ACTIONS).exists():
            time.sleep(0.05)
        time.sleep(2)  # within numba, or within the first minutes of the scenario
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)  # it is within GRACE; a loaded machine takes longer to end a process
    run = read_run(RunFolder(tmp_path / "run"))

    assert process.returncode == ExitCode.INTERRUPTED, said
    assert run.info.ended != "completed"
    assert judge(run).verdict == "inconclusive"


@pytest.mark.second
def test_a_slice_that_was_cut_short_is_on_record_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that the compiled loop had made when Ctrl-C came, and that nobody had taken away yet, are not lost."""
    pytest.importorskip("numba")
    request.getfixturevalue("fast_is_compiled")
    engine = importlib.import_module("mockbot.simulate.fast.engine")
    play, memory = engine.play, Memory()

    def interrupted(*state: object) -> None:
        play(*state)
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "play", interrupted)
    info = simulate(scenario(), sink=memory.take, engine="fast")
    prompts = [each.id for each in memory.requests if isinstance(each, Prompt)]

    assert info.ended == "interrupted"
    assert len(prompts) > 100
    assert len(set(prompts)) == len(prompts)
