"""Every command on a terminal of 80 columns and in a pipe: nothing too wide, no trailing blanks, no stray codes."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.test_page_layout import SCENARIO

pytestmark = pytest.mark.second
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = SCENARIO.replace(", falls_over_to: other", "").replace(", {reset_peer: 0s, share: 50%, lasts: 20s}", "")
COMMANDS = {
    "list": ("list",),
    "check": ("check", "layout.yaml"),
    "show": ("show", "layout.yaml"),
    "simulate": ("simulate", "layout.yaml"),
    "seeds": ("simulate", "layout.yaml", "--seeds", "2", "--compare", "once"),
    "sweep": ("simulate", "plain.yaml", "--sweep", "users=10..20/2"),
    "explain": ("explain", "layout.yaml", "--seeds", "1"),
    "report": ("report", "first"),
    "compare": ("compare", "first", "second"),
    "month": ("month", "--play", "--users", "8"),
    "doctor": ("doctor",),
    "run": ("run", "layout.yaml", "--speed", "60"),
    "help": ("--help",),
    **{f"help of {name}": (name, "--help") for name in ("run", "simulate", "explain", "month", "serve", "compare")},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenario files and two simulated runs."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "layout.yaml").write_text(SCENARIO, "utf-8")
    (folder / "plain.yaml").write_text(PLAIN, "utf-8")
    for name in ("first", "second"):
        _piped(folder, "simulate", "layout.yaml", "--out", name)
    return folder


def _piped(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mockbot", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "FORCE_COLOR": "", "GITHUB_ACTIONS": ""},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode in {0, 1, 3, 4}, done.stderr
    return done.stdout


def too_wide(text: str) -> list[str]:
    """Lines of more than 80 columns, but for those that end with a path, which cannot be broken."""
    return [line for line in text.splitlines() if len(line) > 80 and "/" not in line.split()[-1]]


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_pipe_gets(folder: Path, name: str) -> None:
    """80 columns, no blanks at the end of a line, no escape codes, and something at all."""
    text = _piped(folder, *COMMANDS[name])

    assert text.strip()
    assert too_wide(text) == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert ESCAPE.findall(text) == []


def _on_a_terminal(folder: Path, *arguments: str, **variables: str) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color", **variables}
    child = subprocess.Popen(
        [sys.executable, "-m", "mockbot", *arguments], cwd=folder, env=environment, stdin=theirs, stdout=theirs,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # Linux says EIO when the last writer has closed a terminal
        pass
    os.close(ours)
    child.wait(60)
    return text.decode()


@pytest.mark.parametrize("name", ["list", "show", "report", "compare"])
def test_no_color_means_no_styles(folder: Path, name: str) -> None:
    """Neither colour nor bold nor dim; without the variable a terminal gets them."""
    environment = {"NO_COLOR": "1"}

    assert STYLE.findall(_on_a_terminal(folder, *COMMANDS[name], **environment)) == []


def test_a_terminal_has_styles_otherwise(folder: Path) -> None:
    """So the test above looks at something."""
    assert STYLE.findall(_on_a_terminal(folder, "report", "first", NO_COLOR=""))


def test_a_run_is_told_in_three_sentences_before_its_tables(folder: Path) -> None:
    """How long users were down, what was wrong, how they were served; then the table, then the verdict."""
    text = _piped(folder, "report", "first")

    story, table = text.split("phase      group", 1)
    sentences = re.split(r"(?<=\.) (?=[A-Z])", " ".join(story.split()))
    assert [sentence.split()[:2] for sentence in sentences] == [["Users", "were"], ["In", "an"], ["At", "worst,"]]
    assert "verdict: " in table


@pytest.mark.parametrize("line", ["x" * 40 + " " + "y" * 40, "an overlong line " * 6])
def test_a_line_that_could_be_broken_is_found(line: str) -> None:
    """The check above is not blind."""
    assert too_wide(line) == [line]
