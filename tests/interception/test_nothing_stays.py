"""However a run with interception ends, nothing of it is left: no process, no file, no trusted certificate."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import certifi
import psutil
import pytest

from tests.commands.build import mockbot, scenario_file

pytestmark = [pytest.mark.live, pytest.mark.second]
INTERCEPTOR = "mockbot.interception"


def stores() -> dict[str, str]:
    """Everything that this machine trusts: name of each file, and a checksum."""
    folders = [Path(path) for path in (ssl.get_default_verify_paths().capath,) if path and Path(path).is_dir()]
    files = [Path(certifi.where()), *(file for folder in folders for file in folder.iterdir() if file.is_file())]
    return {str(file): sha256(file.read_bytes()).hexdigest() for file in files}


@contextmanager
def serving(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process], Path]]:
    """`mockbot serve --intercept`, all processes that it has started, and its folder for temporary files."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        mockbot("serve", scenario_file(tmp_path), "--intercept", "--record", tmp_path / "run"),
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        try:
            lines = iter(process.stdout.readline, "")
            bundle = next(line.partition("=")[2].strip() for line in lines if line.startswith("export SSL_CERT_FILE="))
            assert Path(bundle).parent.parent == temporary
            assert Path(bundle).is_file()
            yield process, psutil.Process(process.pid).children(recursive=True), temporary
        finally:
            process.kill()


def wait_until_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []


def interceptor(processes: list[psutil.Process]) -> psutil.Process:
    return next(each for each in processes if INTERCEPTOR in command_line(each))


def command_line(process: psutil.Process) -> list[str]:
    """Nothing of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one, too
        return []


def assert_nothing_stays(tmp_path: Path, temporary: Path) -> None:
    until = time.monotonic() + 10
    while found := [path for path in temporary.rglob("*") if path.suffix == ".pem" or "mockbot" in path.name]:
        assert time.monotonic() < until, found
        time.sleep(0.05)
    for file in (path for path in (tmp_path / "run").rglob("*") if path.is_file()):
        assert b"-----BEGIN" not in file.read_bytes(), file


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_after_a_signal_to_mockbot_nothing_stays(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, and `kill -9`, after which the interceptor ends by itself."""
    trusted = stores()
    with serving(tmp_path) as (process, started, temporary):
        process.send_signal(number)
        wait_until_gone(started)

    assert_nothing_stays(tmp_path, temporary)
    assert stores() == trusted


def test_after_kill_9_of_the_interceptor_nothing_stays(tmp_path: Path) -> None:
    """What deletes the folder is neither it nor its parent."""
    with serving(tmp_path) as (process, started, temporary):
        interceptor(started).kill()
        process.send_signal(signal.SIGINT)
        wait_until_gone(started)

    assert_nothing_stays(tmp_path, temporary)


def test_after_kill_9_of_mockbot_and_the_interceptor_at_once_nothing_stays(tmp_path: Path) -> None:
    """Neither has a moment to clean up."""
    with serving(tmp_path) as (process, started, temporary):
        found = interceptor(started)
        found.suspend()
        process.kill()
        found.kill()
        wait_until_gone(started)

    assert_nothing_stays(tmp_path, temporary)


def ended_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *command: str) -> str:
    """What an inconclusive run of this client has printed, in one line, once nothing of it is left."""
    temporary, folder = tmp_path / "tmp", tmp_path / "run"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    options = ("--out", folder, "--intercept")
    done = subprocess.run(
        mockbot("run", scenario_file(tmp_path), *options, "--", *command),
        capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert_nothing_stays(tmp_path, temporary)
    return " ".join(done.stdout.split())


def test_after_an_end_in_order_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a client that asked nothing."""
    trusted = stores()

    assert "asked for no provider's host" in ended_run(tmp_path, monkeypatch, "true")
    assert stores() == trusted


def test_a_run_without_its_interceptor_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client cannot tell it from an outage; the run ends at once and says why."""
    kills = (
        "import os, psutil, time; time.sleep(0.5)\n"
        "run = psutil.Process(os.getpid()).parents()\n"
        "children = psutil.process_iter(['ppid', 'cmdline'])  # None of what has just ended\n"
        f"own = [each for each in children if {INTERCEPTOR!r} in (each.info['cmdline'] or ())]\n"
        "[each.kill() for each in own if each.info['ppid'] in {of.pid for of in run}]; time.sleep(30)\n"
    )

    says = ended_run(tmp_path, monkeypatch, sys.executable, "-c", kills)

    assert "the interceptor failed" in says
    assert "has ended or was killed" in says
