"""Ctrl-C in the middle of a simulated run: what is done is kept, and said to be less than the whole."""

from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from mockbot.commands.simulate import SimulateOptions, simulate_command
from mockbot.errors import ExitCode
from mockbot.evidence.records import Prompt
from mockbot.evidence.verdict import judge
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run, write_run_info
from mockbot.simulate.engines import EngineName
from mockbot.simulate.simulation import simulate
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

    monkeypatch.setattr(Progress, "update", interrupt)  # a scenario minute after the start
    code = simulate_command(SimulateOptions(scenario(), seeds=3, out=tmp_path / "run"), Console(quiet=True))

    assert code == ExitCode.INTERRUPTED
    assert read_run(RunFolder(tmp_path / "run")).info.ended == "interrupted"
