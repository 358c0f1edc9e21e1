"""What the README says is what happens: its commands run, its files load, its tables are complete."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mockbot.cli import cli
from mockbot.errors import ExitCode
from mockbot.scenario.library import names
from mockbot.scenario.load import read_scenario

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def marked(name: str) -> str:
    """The command of the block below `<!-- name -->`."""
    found = re.search(rf"<!-- {name} -->\n```console\n(.*?)\n```", README, re.DOTALL)
    assert found is not None
    return found[1]


SESSIONS = [
    (command, expected)
    for block in blocks("console")
    for command, expected in re.findall(r"^\$ (mockbot .*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("command", "expected"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_session_in_the_readme_happens_as_shown(tmp_path: Path, command: str, expected: str) -> None:
    """What follows a `$ mockbot …` line is what that command writes."""
    (tmp_path / "my-outage.yaml").write_text(blocks("yaml")[0], "utf-8")
    (tmp_path / "typo.yaml").write_text(blocks("yaml")[0].replace("http_error", "htp_error"), "utf-8")
    argv = [sys.executable, "-m", "mockbot", *shlex.split(command)[1:]]

    result = subprocess.run(
        argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )

    assert [line.rstrip() for line in result.stdout.splitlines()] == [line.rstrip() for line in expected.splitlines()]


def test_there_are_sessions_to_try() -> None:
    """The pattern above still finds them."""
    assert len(SESSIONS) >= 2


def test_the_scenario_in_the_readme_is_one() -> None:
    """The YAML block loads as it stands."""
    assert read_scenario(blocks("yaml")[0]).name == "my-outage"


def test_the_two_commands_are_one_line_each() -> None:
    """Each can be pasted: a venv, an installation, and what is wanted."""
    assert marked("run command").endswith("&& .venv/bin/mockbot run unexpected-failure")
    assert marked("test command").endswith("&& .venv/bin/python -m pytest")
    assert "\n" not in marked("run command") + marked("test command")


def test_every_command_is_in_the_table() -> None:
    """A command that is added without a word in the README is noticed here."""
    for name in cli.commands:
        assert f"`mockbot {name}" in README


def test_every_exit_code_is_in_the_readme() -> None:
    """And so is a code that means something new."""
    sentence = re.search(r"Exit codes: (.*?)\.\n", README, re.DOTALL)

    assert sentence is not None
    assert [int(number) for number in re.findall(r"\b\d+\b", sentence[1])] == [code.value for code in ExitCode]


def test_every_scenario_that_the_readme_names_is_bundled() -> None:
    """Its table tells of files that are there."""
    told = set(re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE))

    assert told == {"traffic-surge", "maintenance-window", "unexpected-failure"}
    assert told <= set(names())


def test_every_command_says_what_it_does() -> None:
    """`--help` has a sentence for each command."""
    assert all(command.get_short_help_str() for command in cli.commands.values())
