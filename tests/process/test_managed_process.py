"""A child process reports that it is ready, quotes its log when it cannot start, and leaves with its parent."""

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from mockbot.errors import TestbedError
from mockbot.process.managed_process import ManagedProcess
from mockbot.process.process_group import end
from mockbot.process.process_group_guard import guarded

SERVER = """
import os, sys
from mockbot.process.lifeline import report_ready, wait_for_stdin_to_end
report_ready({"control": "http://here", "pid": os.getpid()})
wait_for_stdin_to_end()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that `python -m child_server` finds."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "child_server.py"


def test_a_child_in_its_own_session_is_known_by_its_ready_line_and_leaves_when_it_is_closed(module: Path) -> None:
    """Its line is `ready`, Ctrl-C does not reach it, and closing it twice is fine."""
    module.write_text(SERVER)
    with ManagedProcess(["child_server"]) as child:
        assert (child.url, child.ready["pid"]) == ("http://here", child.pid)
        assert os.getsid(child.pid) != os.getsid(0)
    child.close()

    assert not child.alive


def test_a_child_that_cannot_start_is_quoted(module: Path) -> None:
    """The end of its log is in the error."""
    module.write_text("import sys; sys.exit('no such scenario')")

    with pytest.raises(TestbedError, match="child_server ended before it was ready: no such scenario"):
        ManagedProcess(["child_server"])


def test_a_users_file_that_is_named_like_a_module_is_not_imported(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder in which the user works is not on the child's path."""
    module.write_text("import random\n" + SERVER)
    folder = tmp_path / "of the user"
    folder.mkdir()
    (folder / "random.py").write_text("raise SystemExit('my own file')")
    monkeypatch.chdir(folder)

    ManagedProcess(["child_server"]).close()


def test_the_end_of_a_group_takes_what_the_process_has_started(tmp_path: Path) -> None:
    """A grandchild that ignores SIGTERM is killed with the group."""
    pid_file = tmp_path / "pid"
    script = f"(trap '' TERM; echo $$ > {pid_file}; sleep 300) & wait"
    process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.01)
    sleepers = psutil.Process(process.pid).children(recursive=True)
    end(process, process.terminate, 0.5)

    _, alive = psutil.wait_procs(sleepers, timeout=5)
    assert sleepers
    assert alive == []


def test_a_guard_exits_as_its_command_did() -> None:
    """Its exit code, or 128 + n when signal n ended it."""
    codes = []
    for script in ("exit 7", "kill -9 $$"):
        with guarded(["sh", "-c", script], os.environ) as process:
            codes.append(process.wait(20))

    assert codes == [7, 137]


def test_a_child_is_told_its_line_and_its_unexpected_end_is_noticed(
    module: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first line of its stdin is `told`; a child that left before it was closed is named with its exit code."""
    module.write_text(
        "import os, sys\nfrom mockbot.process.lifeline import report_ready\n"
        "report_ready({'told': sys.stdin.buffer.readline().decode()})\nos._exit(3)\n"
    )
    with ManagedProcess(["child_server"], told="{}") as child:
        assert child.ready["told"] == "{}\n"
        while child.alive:
            time.sleep(0.01)

    assert "child_server ended by itself, with exit code 3" in caplog.text


@pytest.mark.parametrize("killed", [False, True])
def test_what_a_command_starts_in_a_session_of_its_own_is_gone_with_it(tmp_path: Path, killed: bool) -> None:
    """`setsid` takes a process out of the group; also when the guard was killed with -9."""
    file = tmp_path / "pid"
    script = f"setsid sleep 300 & echo $! > {file}; {'sleep 300' if killed else 'true'}"
    with guarded(["sh", "-c", script], os.environ) as process:
        while not (file.exists() and file.read_text()):
            time.sleep(0.01)
        if killed:
            process.kill()
        code = process.wait(20)
    left = int(file.read_text())

    assert code == (-9 if killed else 0)
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE
