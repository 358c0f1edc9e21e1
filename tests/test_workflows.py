"""The project's own automation: valid files, pinned actions, commands that exist, and a release that checks itself."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mockbot import __version__
from tests.docs.pages import marked

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> Any:
    """The file as plain values; YAML 1.2, so that the key `on` stays a string."""
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    """Every step of every job."""
    return [step for job in read(path)["jobs"].values() for step in job.get("steps", [])]


def named(name: str) -> str:
    """The script of a step of the release."""
    (script,) = (step["run"] for step in steps(ROOT / ".github/workflows/release.yml") if step.get("name") == name)
    return str(script)


def released(folder: Path, script: str, tag: str) -> "subprocess.CompletedProcess[str]":
    """Run a step as a runner does, in a folder that has what it reads."""
    (folder / "mockbot").mkdir()
    shutil.copy(ROOT / "mockbot" / "version.py", folder / "mockbot")
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    environment = {**os.environ, "GITHUB_REF_NAME": tag}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_complete(path: Path) -> None:
    """It has triggers, least permissions, and for each job a runner with steps or a workflow that is there."""
    workflow = read(path)

    assert workflow["on"]
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert (ROOT / job["uses"]).is_file() if "uses" in job else job["runs-on"] and job["steps"]


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_an_action_is_pinned_to_a_major_version(path: Path) -> None:
    """No branch of somebody else's repository runs here; `release/v1` is how PyPI's action names its major version."""
    used = re.findall(r"uses: ([\w-]+/\S+)", path.read_text("utf-8"))

    assert [action for action in used if not re.search(r"@(v\d+|release/v\d+)$", action)] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """What newcomers paste is what is tested, on every system and Python that the package declares."""
    jobs = read(ROOT / ".github/workflows/ci.yml")["jobs"]
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))

    for name, runner, command in (
        ("first-tier", "ubuntu-latest", marked("test command")),
        ("macos", "macos-latest", marked("run command")),
    ):
        assert jobs[name]["runs-on"] == runner
        assert jobs[name]["strategy"]["matrix"]["python"] == declared
        assert command in [step.get("run") for step in jobs[name]["steps"]]
    assert {"Operating System :: MacOS", "Operating System :: POSIX :: Linux"} <= set(classifiers)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_scripts_that_a_workflow_calls_are_there(path: Path) -> None:
    """And can be executed."""
    called = [ROOT / name for step in steps(path) for name in re.findall(r"^\.ci/\w+", step.get("run", ""))]

    assert [script for script in called if not os.access(script, os.X_OK)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_markers_that_a_workflow_selects_are_declared(path: Path) -> None:
    """A marker that is renamed would otherwise select everything, silently."""
    markers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["markers"]
    expressions = re.findall(r'-m "([^"]+)"', path.read_text("utf-8"))

    selected = {word for text in expressions for word in re.findall(r"\w+", text)} - {"not", "and", "or"}

    assert selected <= {marker.split(":")[0] for marker in markers}


def test_the_hooks_of_pre_commit_call_tools_that_exist() -> None:
    """Each is installed by the extra `test`, or is a command of mockbot."""
    hooks = [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    tools = {hook["entry"].split()[0] for hook in hooks}

    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy", "scenario-schema"]
    assert tools == {"ruff", "mypy", "bash"}


def test_a_release_of_another_version_than_the_tag_is_refused(tmp_path: Path) -> None:
    """A forgotten change of `version.py` stops before anything is built."""
    done = released(tmp_path, named("The tag is the version"), "v99.0.0")

    assert done.returncode == 1
    assert f"the tag is v99.0.0, but mockbot/version.py says {__version__}" in done.stdout


def test_a_release_of_this_version_is_let_through(tmp_path: Path) -> None:
    """The same step, for the tag of the version."""
    assert released(tmp_path, named("The tag is the version"), f"v{__version__}").returncode == 0


def test_the_notes_of_a_release_are_its_section_of_the_changelog(tmp_path: Path) -> None:
    """Neither the heading nor other versions."""
    done = released(tmp_path, named("The notes are its section of CHANGELOG.md"), "v0.1.0")

    notes = (tmp_path / "notes.md").read_text("utf-8")
    assert done.returncode == 0, done.stdout
    assert notes.strip().startswith("The first version.")
    assert "## " not in notes


def test_a_release_without_notes_is_refused(tmp_path: Path) -> None:
    """An empty section would be an empty announcement."""
    assert released(tmp_path, named("The notes are its section of CHANGELOG.md"), "v99.0.0").returncode == 1
