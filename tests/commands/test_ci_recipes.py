"""The CI recipes are what they say: their files are valid, and their steps really run, as on a runner."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import mockbot
from tests.commands.build import scenario_file

pytestmark = pytest.mark.second
ROOT = Path(mockbot.__file__).parent.parent
CLIENTS = Path(__file__).parent / "clients"
NEEDED = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "needed"
version = "1"
"""


def read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text("utf-8"))


def runner_environment(folder: Path) -> dict[str, str]:
    """A runner's, with this environment's packages in the place of the registry's."""
    for name in ("output", "summary"):
        (folder / name).touch()
    return {
        **os.environ,
        "RUNNER_TEMP": str(folder),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say: do not isolate
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
    }


def played(folder: Path, inputs: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Every shell step of action.yml in its order, as `bash -eo pipefail`; the last one's result."""
    action = read("action.yml")
    given = {name: str(spec.get("default", "")) for name, spec in action["inputs"].items()} | inputs
    done: subprocess.CompletedProcess[str] | None = None
    for step in action["runs"]["steps"]:
        if "run" not in step:
            continue
        variables = {name: expanded(text, given) for name, text in step["env"].items()}
        script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        environment = runner_environment(folder) | variables
        done = subprocess.run(script, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            break
    assert done is not None
    return done


def expanded(text: str, inputs: dict[str, str]) -> str:
    """The expressions that the action uses."""
    for name, value in inputs.items():
        text = text.replace(f"${{{{ inputs.{name} }}}}", value)
        text = text.replace(f"${{{{ inputs.{name} || github.action_path }}}}", value or str(ROOT))
    for name, value in {"runner.os": "Linux", "github.action_ref": "main"}.items():
        text = text.replace(f"${{{{ {name} }}}}", value)
    assert "${{" not in text
    return text


@pytest.mark.parametrize(("client", "code", "verdict"), [("tidy.py", 0, "pass"), ("naive.py", 1, "fail")])
def test_the_action_plays_an_outage_to_a_command(tmp_path: Path, client: str, code: int, verdict: str) -> None:
    """It installs, plays, writes the job summary and the output, and fails when the client does."""
    command = f"{sys.executable} {CLIENTS / client} 6"
    done = played(tmp_path, {"scenario": str(scenario_file(tmp_path)), "command": command})

    assert done.returncode == code, done.stdout + done.stderr
    name, _, folder = (tmp_path / "output").read_text("utf-8").strip().partition("=")
    assert (name, Path(folder).parent) == ("folder", tmp_path)
    assert (Path(folder) / "junit.xml").exists()
    told = (tmp_path / "summary").read_text("utf-8")
    assert told.count("## ") == 1
    assert verdict in told.lower()


@pytest.mark.parametrize("inputs", [{"scenario": "--help"}, {"scenario": "quick", "options": "--help"}])
def test_the_action_is_not_green_without_a_run(tmp_path: Path, inputs: dict[str, str]) -> None:
    """`--help` exits with 0."""
    done = played(tmp_path, inputs)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "::error::mockbot made no run" in done.stdout


def test_two_uses_of_the_action_in_a_job_have_a_summary_each(tmp_path: Path) -> None:
    """A fresh folder per use; the second does not tell the first one's results again, and annotations are told once."""
    command = f"{sys.executable} {CLIENTS / 'naive.py'} 6"
    for _ in range(2):
        done = played(tmp_path, {"scenario": str(scenario_file(tmp_path)), "command": command})
        told = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("::")]

        assert done.returncode == 1, done.stdout + done.stderr
        assert any(line.startswith("::error title=") for line in told)
        assert len(told) == len(set(told))
    assert (tmp_path / "summary").read_text("utf-8").count("## ") == 2
    assert len(set((tmp_path / "output").read_text("utf-8").split())) == 2


def test_the_action_is_a_valid_composite_action() -> None:
    """Every step of ours names its shell, nothing from outside is spliced into a script, every input is used."""
    action = read("action.yml")
    steps = action["runs"]["steps"]
    text = (ROOT / "action.yml").read_text("utf-8")

    assert action["runs"]["using"] == "composite"
    assert all(("run" in step and step["shell"] == "bash") != ("uses" in step) for step in steps)
    assert not any("${{" in step.get("run", "") for step in steps)
    assert all(f"inputs.{name}" in text for name in action["inputs"])
    assert {"name", "description", "inputs", "runs"} <= set(action)


def test_the_commands_own_requirements_are_there(tmp_path: Path) -> None:
    """In an environment of the command's, whose Python is the first of the path."""
    (tmp_path / "needed").mkdir()
    (tmp_path / "needed" / "pyproject.toml").write_text(NEEDED, "utf-8")
    (tmp_path / "needed" / "needed").mkdir()
    (tmp_path / "needed" / "needed" / "__init__.py").touch()
    (tmp_path / "requirements.txt").write_text("./needed\n", "utf-8")
    command = f"python -c 'import needed' && {sys.executable} {CLIENTS / 'tidy.py'} 6"
    inputs = {"scenario": str(scenario_file(tmp_path)), "command": command, "requirements": "requirements.txt"}

    done = played(tmp_path, inputs)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_is_compared_with_its_baseline(tmp_path: Path) -> None:
    """The summary says in what they differ; without a baseline there is a notice."""
    client, scenario = f"{sys.executable} {CLIENTS / 'tidy.py'} 6", str(scenario_file(tmp_path))
    first = played(tmp_path, {"scenario": scenario, "command": client, "baseline": "not-there"})
    before = (tmp_path / "output").read_text("utf-8").strip().partition("=")[2]

    again = played(tmp_path, {"scenario": scenario, "command": client, "baseline": before})

    assert first.returncode == 0, first.stdout + first.stderr
    assert "::notice::there is no run folder at 'not-there'" in first.stdout
    assert again.returncode == 0, again.stdout + again.stderr  # a run of seconds says too little to compare, and passed
    assert "## Compared with the baseline" in (tmp_path / "summary").read_text("utf-8")


@pytest.mark.parametrize(("wish", "code", "runs"), [("fail", 3, 1), ("warn", 0, 1), ("retry", 3, 2)])
def test_an_inconclusive_run_does_what_was_asked_for(tmp_path: Path, wish: str, code: int, runs: int) -> None:
    """The client sends nothing, so that no fault is felt; the folder of the last run is the output."""
    inputs = {"scenario": str(scenario_file(tmp_path)), "command": "sleep 6", "on-inconclusive": wish}

    done = played(tmp_path, inputs)

    assert done.returncode == code, done.stdout + done.stderr
    folders = list(tmp_path.glob("mockbot-run.*"))
    assert len(folders) == runs
    assert (tmp_path / "output").read_text("utf-8").strip().removeprefix("folder=") in [str(each) for each in folders]


def test_a_wish_that_there_is_not_is_told(tmp_path: Path) -> None:
    done = played(tmp_path, {"scenario": "traffic-surge", "on-inconclusive": "ignore"})

    assert done.returncode == 2
    assert "on-inconclusive is 'ignore'; it can be fail, warn or retry" in done.stdout


def test_the_gitlab_job_installs_nothing_that_is_not_named(tmp_path: Path) -> None:
    """A package of our name on a registry is a stranger's."""
    job = read("mockbot.gitlab-ci.yml")[".mockbot"]
    environment = runner_environment(tmp_path) | job["variables"]
    script = ["/bin/sh", "-c", "set -e\n" + "\n".join(job["script"])]

    done = subprocess.run(script, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "set MOCKBOT_SOURCE" in done.stdout
    assert not (tmp_path / ".mockbot").exists()


@pytest.mark.nightly
def test_the_gitlab_job_plays_an_outage_to_a_command(tmp_path: Path) -> None:
    """Its script, line by line in one shell; what it says it keeps is there."""
    job = read("mockbot.gitlab-ci.yml")[".mockbot"]
    variables = job["variables"] | {
        "MOCKBOT_SCENARIO": str(scenario_file(tmp_path)),
        "MOCKBOT_COMMAND": f"{sys.executable} {CLIENTS / 'tidy.py'} 6",
        "MOCKBOT_SOURCE": str(ROOT),
    }
    script = "set -e\n" + "\n".join(job["script"])
    environment = runner_environment(tmp_path) | variables
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).exists()
    assert all((tmp_path / path).is_dir() for path in job["artifacts"]["paths"])
