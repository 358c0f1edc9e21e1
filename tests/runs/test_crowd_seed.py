"""Every live run draws a crowd of its own, unless it is asked for a certain one."""

from pathlib import Path

from mockbot.evidence.records import RunInfo
from mockbot.runs.crowd_seed import crowd_seed
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import write_run_info
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
