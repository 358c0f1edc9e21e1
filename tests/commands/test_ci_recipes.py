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
