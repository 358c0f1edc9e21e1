"""Every live run draws a crowd of its own, unless it is asked for a certain one."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from mockbot.errors import UsageError
from mockbot.evidence.records import RunInfo
from mockbot.runs.crowd_seed import crowd_seed
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import write_run_info
from mockbot.simulate.explain.live_figures import find_live
from tests.scenario.build import scenario


def _ran(path: Path, name: str, seed: int, *, simulated: bool = False) -> None:
    path.mkdir()
    write_run_info(
        RunFolder(path), RunInfo(name, 1.0, 0.0, "completed", 9.0, "embedded", seed=seed, simulated=simulated)
    )


def test_the_first_run_has_the_seed_of_its_scenario(tmp_path: Path) -> None:
    """Also where the folder is the first of all."""
    world = scenario(seed=7)

    assert crowd_seed(world, tmp_path / "runs" / "first") == 7
    _ran(tmp_path / "other", "another scenario", 99)
    _ran(tmp_path / "simulated", world.name, 99, simulated=True)
    assert crowd_seed(world, tmp_path / "first") == 7


def test_each_further_run_has_the_next_one(tmp_path: Path) -> None:
    """After the largest, so that no run has that of another when one in between was removed."""
    world = scenario(seed=7)
    _ran(tmp_path / "first", world.name, 7)
    _ran(tmp_path / "third", world.name, 9)
    (tmp_path / "latest").symlink_to("third")

    assert crowd_seed(world, tmp_path / "fourth") == 10


def test_explain_finds_a_live_run_with_whatever_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario in the run's folder has the seed that was drawn; all else has to be the same."""
    monkeypatch.chdir(tmp_path)
    world = scenario(seed=7)
    folder = RunFolder.create(scenario(seed=8), None)
    write_run_info(folder, RunInfo(world.name, 1.0, 0.0, "completed", 9.0, "embedded", seed=8))

    assert find_live(world, None, "test.yaml") is not None
    assert find_live(scenario(seed=7, slo="99s"), None, "test.yaml") is None


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--set", "seed=4"], "give one of them"), (["--", "true"], "--seed and --metrics-port are for a run")],
)
def test_a_seed_that_would_not_count_is_refused(more: list[str], says: str) -> None:
    """Two seeds, and a crowd that there is not."""
    run = CliRunner().invoke(cli, ["run", "traffic-surge", "--seed", "3", *more])

    assert isinstance(run.exception, UsageError)
    assert says in str(run.exception)
