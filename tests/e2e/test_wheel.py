"""What users install is the wheel, so the wheel is tried: built, installed in a clean venv, run from elsewhere.

It is the plain install, without any extra: what a CI job needs works with it, and what is left out names its extra.
"""

import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.second, pytest.mark.timeout(600)]
CLIENT = """
import os, requests

def test_it(mockbot):
    mockbot.fault(http_error=503)
    answer = requests.post(f"{os.environ['OPENAI_BASE_URL']}/chat/completions", json={}, timeout=10)
    assert answer.status_code == 503
"""


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

    run = folder / "runs" / "latest"
    assert "pass" in output.lower()
    assert json.loads((run / "summary.json").read_text("utf-8"))["verdict"] == "pass"
    assert ET.parse(run / "junit.xml").getroot().get("failures") == "0"  # noqa: S314 - our own file
    assert 'id="plotly"' in (run / "report.html").read_text("utf-8")  # the page draws its charts


def test_the_wheel_without_extras_names_what_is_missing(mockbot: Path, tmp_path: Path) -> None:
    """No numba is there; a simulation by the fast engine says how to get it."""
    listed = _run(str(mockbot.with_name("python")), "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    refused = subprocess.run(
        [mockbot, "simulate", "unexpected-failure", "--engine", "fast"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert not {"plotly", "pandas", "numba", "numpy", "cryptography", "openai"} & {
        line.partition("==")[0] for line in listed.split()
    }
    assert refused.returncode == 2
    assert "pip install 'mockbot[fast]'" in refused.stderr


def test_the_wheel_has_the_fixture(mockbot: Path, tmp_path: Path) -> None:
    """pytest, which comes with Locust, finds the plugin; its verdict is JUnit's."""
    (tmp_path / "test_it.py").write_text(CLIENT, "utf-8")

    _run(str(mockbot.with_name("pytest")), "-q", "--junitxml=result.xml", "test_it.py", cwd=tmp_path)

    assert ET.parse(tmp_path / "result.xml").getroot()[0].get("tests") == "1"  # noqa: S314 - our own file


def test_the_wheel_serves(mockbot: Path, tmp_path: Path, short: Callable[[str], Path]) -> None:
    """Until Ctrl-C."""
    command = [str(mockbot), "serve", str(short("{http_error: 503}"))]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = next(line for line in server.stdout if "OPENAI_BASE_URL" in line)
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)

    assert "http://127.0.0.1:" in told


def _run(*command: str, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout
