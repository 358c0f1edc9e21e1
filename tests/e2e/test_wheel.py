"""What users install is the wheel, so the wheel is tried: built, installed in a clean venv, run from elsewhere."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.second, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def mockbot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `mockbot` command of a venv that has only the wheel in it."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    _run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
    wheel = next(folder.glob("*.whl"))
    _run(str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", str(wheel), cwd=folder)
    return folder / "venv" / "bin" / "mockbot"


def test_the_wheel_brings_its_scenarios(mockbot: Path, tmp_path: Path) -> None:
    """The scenario files are found without a checkout."""
    listed = _run(str(mockbot), "list", cwd=tmp_path)

    assert all(name in listed for name in ("traffic-surge", "maintenance-window", "unexpected-failure"))


def test_the_wheel_runs_an_outage(mockbot: Path, tmp_path: Path, short: Callable[[str], Path]) -> None:
    """A whole run from another directory: service, proxy, Locust file and verdict all come out of the wheel."""
    scenario = short("{http_error: 503}")
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    output = _run(str(mockbot), "run", str(scenario), cwd=folder)

    assert "pass" in output.lower()
    assert (folder / "runs" / "latest" / "summary.json").exists()


def _run(*command: str, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout
