"""What `mockbot simulate` says about a scenario beside its result."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mockbot.commands import simulate as command
from mockbot.commands.simulate import SimulateOptions, simulate_command
from mockbot.simulate.all_cores import done_on_cores
from tests.scenario.build import scenario


def test_answers_of_the_scenarios_own_are_not_played_in_silence(tmp_path: Path) -> None:
    """A simulation has no texts, so their lengths are those of every answer."""
    providers = {"main": {"answers": [{"verbatim": "YES"}]}, "other": {}}
    said = StringIO()
    options = SimulateOptions(scenario(providers=providers), engine="reference", out=tmp_path / "run")

    simulate_command(options, Console(file=said, width=200))

    assert "not played: answers of main; a simulation has no texts" in said.getvalue()


def test_seeds_say_the_same_on_several_cores_as_on_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seed of each column is one run, and the table does not depend on which is done first."""

    def table(workers: int) -> list[str]:
        asked: list[object] = []

        def on(work: Any, tasks: Any, _: int) -> Any:
            asked.extend(tasks)
            return done_on_cores(work, tasks, workers)

        monkeypatch.setattr(command, "done_on_cores", on)
        said = StringIO()
        options = SimulateOptions(scenario(), seeds=2, compare=("once",), out=tmp_path / f"run-{workers}")
        simulate_command(options, Console(file=said, width=200))
        assert len(asked) == len({*asked}) == 3  # the first run is there
        return said.getvalue().rpartition("whole run")[2].splitlines()

    assert table(2) == table(1)
