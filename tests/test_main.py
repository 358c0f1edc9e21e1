"""What the user's machine refuses is a sentence and an exit code, and no defect of mockbot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockbot.errors import ON_WINDOWS

FAILS = """
import errno, os
from mockbot import __main__, cli
def main(**_):
    raise OSError(errno.{name}, os.strerror(errno.{name}), "summary.json")
cli.cli.main = main
__main__.start()
"""


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["ENOSPC", "EACCES", "EROFS", "EMFILE", "EFBIG"])
def test_what_the_system_refuses_is_a_sentence(name: str) -> None:
    """The file and the reason, exit code 4, and no traceback."""
    done = python(FAILS.format(name=name))

    assert done.returncode == 4
    assert done.stderr.startswith("mockbot: summary.json: ")
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr


def test_a_lack_of_memory_is_a_sentence() -> None:
    """What to do, exit code 4, and no traceback."""
    done = python(FAILS.replace('OSError(errno.{name}, os.strerror(errno.{name}), "summary.json")', "MemoryError()"))

    assert done.returncode == 4
    assert done.stderr.startswith("mockbot: out of memory")
    assert "Traceback" not in done.stderr


def test_another_error_of_the_system_is_a_defect() -> None:
    """Nothing that the user could change."""
    done = python(FAILS.format(name="EINVAL"))

    assert done.returncode == 4
    assert "this is a defect in mockbot" in done.stderr


def test_a_reader_that_leaves_changes_no_exit_code() -> None:
    """`mockbot list | head -0`: exit code 0, and nothing on stderr; 1 would mean that expectations failed."""
    reader, writer = os.pipe()
    os.close(reader)
    listing = [sys.executable, "-m", "mockbot", "list"]
    done = subprocess.run(listing, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


def test_an_out_below_a_file_is_wrong_usage(tmp_path: Path) -> None:
    """The path, why, and what to do."""
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "mockbot", "simulate", "traffic-surge", "--users", "6", "--out"]
    done = subprocess.run([*command, tmp_path / "file" / "x"], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "no run can be written there: Not a directory; pass another --out" in done.stderr


@pytest.mark.parametrize("command", ["run", "simulate"])
def test_a_folder_that_takes_no_runs_is_a_sentence(command: str) -> None:
    """Without --out in a folder where `runs` cannot be made; /proc is one for root, too."""
    line = [sys.executable, "-m", "mockbot", command, "traffic-surge"]
    done = subprocess.run(line, cwd="/proc", capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "runs: no run can be written there" in done.stderr
    assert "pass another --out" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_terminal_cannot_write_is_written_with_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snowman in a title with LC_ALL=C: no traceback."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = python("from mockbot import __main__, cli; cli.cli.main = lambda **_: print(chr(0x2603)); __main__.start()")

    assert (done.returncode, done.stdout, done.stderr) == (0, "\\u2603\n", "")


WINDOWS = """
import sys
sys.modules |= {name: None for name in ("fcntl", "resource", "pwd", "grp", "termios")}
sys.platform = "win32"
"""


@pytest.mark.parametrize("command", [["--help"], ["run", "unexpected-failure"], []])
def test_windows_is_refused_in_a_sentence(command: list[str]) -> None:
    """Before anything is imported that Windows does not have; exit code 4, because it says nothing about a client."""
    start = f"sys.argv[1:] = {command}\nfrom mockbot.__main__ import start\nstart()"
    done = python(WINDOWS + start)

    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "WSL" in done.stderr
    assert done.stdout == ""


def test_on_windows_only_the_fixture_is_refused(tmp_path: Path) -> None:
    """The plugin is there in every suite of an environment: the tests that do not ask for it pass."""
    suite = tmp_path / "test_it.py"
    suite.write_text(f"{WINDOWS}\ndef test_ours(mockbot): ...\ndef test_theirs(): ...\n", "utf-8")
    options = ["-p", "no:locust", "-p", "no:schemathesis", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    command = [sys.executable, "-m", "pytest", *options, suite.name]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert "1 passed, 1 error" in done.stdout
    assert ON_WINDOWS in done.stdout
