"""`mockbot check` says what a file's calm is like, and with `--watch` looks again at every change."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from tests.scenario.build import FILE


def test_the_calm_is_told_beside_the_size(tmp_path: Path) -> None:
    """Of each provider that somebody asks."""
    (tmp_path / "mine.yaml").write_text(FILE, "utf-8")

    result = CliRunner().invoke(cli, ["check", str(tmp_path / "mine.yaml")])

    first, calm = result.stdout.splitlines()
    assert first.endswith("mine.yaml: ok: 3m, 3 phases, 1 fault, 1 expectation")
    assert calm.startswith("  before: main is ")
    assert " busy; an answer takes " in calm


@pytest.mark.second
def test_a_file_is_checked_again_when_it_changes(tmp_path: Path) -> None:
    """And when the file that it extends does; a mistake ends nothing, Ctrl-C everything."""
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.yaml"
    parent.write_text(FILE, "utf-8")
    child.write_text("extends: parent.yaml\nname: child\n", "utf-8")
    command = [sys.executable, "-m", "mockbot", "check", "--watch", str(child)]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert watching.stdout is not None
    lines, seen = watching.stdout, list[str]()

    def until(says: str, change: Callable[[], object] = lambda: None) -> None:
        change()
        for line in lines:
            seen.append(line)
            if says in line:
                return
        pytest.fail(f"ended without {says!r}, {seen}")

    try:
        until("child.yaml: ok: 3m, 3 phases")
        until("'slts' is no key here", lambda: parent.write_text(FILE.replace("slots", "slts"), "utf-8"))
        until("child.yaml: ok: 3m, 3 phases", lambda: parent.write_text(FILE, "utf-8"))
        until("no such file", child.unlink)
    finally:
        watching.send_signal(signal.SIGINT)
        with watching:
            code = watching.wait(10)
    assert code == 130
