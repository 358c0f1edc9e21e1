"""A system is started, waited for, and ended with everything it left; each way to fail has its sentence."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE

import httpx
import psutil
import pytest

from mockbot.errors import TestbedError, UsageError
from mockbot.testbed.system.running_system import open_system
from mockbot.testbed.system.system_file import System
from tests.proxy.wire import eventually

pytestmark = pytest.mark.live

NAMES = {"main.url": "http://127.0.0.1:9", "main.key": "sk-free-system"}
# Serves HTTP 200 at /health and 503 elsewhere; what it is told is printed.
PROGRAM = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/health' else 503)
        self.end_headers()
        self.wfile.write(open(sys.argv[2]).read().encode())
    def log_message(self, *_): pass
print('key', os.environ['KEY'], flush=True)
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"""


def _system(start: str = "python -u {dir}/app.py {port} {dir}/sub/conf", **more: object) -> System:
    files = {"app.py": PROGRAM, "sub/conf": "api_base: {main.url}/v1 {kept}"}
    given = {"name": "app", "start": start, "speaks": "openai", "files": files, "env": {"KEY": "{main.key}"}, **more}
    return System.model_validate(given)


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have systems of their own at the same time."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def _folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("mockbot-system-*"))


def _get(url: str) -> str:
    return httpx.get(url, timeout=5, trust_env=False).text


def test_it_is_ready_when_its_path_answers_and_gone_with_the_block(tmp_path: Path) -> None:
    """Its files are private and hold the addresses; its log holds no key."""
    log = tmp_path / "system.log"
    with open_system(_system(ready={"path": "/health"}), NAMES, _environment(), log, {"sk-free-system"}) as running:
        assert running.ended is None
        assert _get(f"{running.url}/health") == "api_base: http://127.0.0.1:9/v1 {kept}"
        [folder] = [Path(word).parent for word in _command_line(running.url) if word.endswith("app.py")]
        assert S_IMODE(folder.stat().st_mode) == 0o700

    assert not folder.exists()
    assert log.read_text() == "key ***\n"
    with pytest.raises(httpx.ConnectError, match="refused"):
        _get(f"{running.url}/health")


def _command_line(url: str) -> list[str]:
    """The command of the process that was told this URL's port."""
    port = url.rpartition(":")[2]
    lines = (path.read_bytes().decode().split("\0") for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return next(words for words in lines if port in words and "system_guard" not in " ".join(words))


def _wait_until_gone(url: str) -> None:
    for _ in range(100):
        try:
            _get(f"{url}/health")
        except httpx.TransportError:
            return
        threading.Event().wait(0.1)
    pytest.fail("it still answers")


@pytest.mark.parametrize("planned", [False, True])
def test_it_can_be_ended_and_started_again(tmp_path: Path, planned: bool) -> None:
    """At the same URL, with the same files; meanwhile it has not ended by itself."""
    with open_system(_system(ready={"path": "/health"}), NAMES, _environment(), tmp_path / "log") as running:
        running.stop(planned=planned)
        _wait_until_gone(running.url)
        assert running.ended is None

        running.start()
        running.start()
        running.wait_until_ready()

        assert _get(f"{running.url}/health")


def test_it_does_not_outlive_its_killed_guard(tmp_path: Path) -> None:
    """The guard could not end it: it is found by a mark in its environment."""
    with open_system(_system(ready={"path": "/health"}), NAMES, _environment(), tmp_path / "log") as running:
        guards = (
            each for each in psutil.Process().children() if "mockbot.testbed.system.system_guard" in each.cmdline()
        )
        next(guards).kill()
        assert eventually(lambda: running.ended == -9)
        assert _get(f"{running.url}/health")

    with pytest.raises(httpx.ConnectError, match="refused"):
        _get(f"{running.url}/health")


@pytest.mark.parametrize(
    ("start", "ready", "says"),
    [
        (
            "python -c \"print('no such model'); raise SystemExit(3)\"",
            {},
            "exit code 3 before it was ready: no such model",
        ),
        (
            "python -c 'import time; print(1); time.sleep(60)'",
            {"within": "1s"},
            r"not ready within 1 s: nothing listens at",
        ),
    ],
)
def test_a_system_that_does_not_come_up_says_why(tmp_path: Path, start: str, ready: dict[str, str], says: str) -> None:
    """With the end of its log, and nothing left behind."""

    with (
        pytest.raises(TestbedError, match=says),
        open_system(_system(start, ready=ready), NAMES, _environment(), tmp_path / "log"),
    ):
        pass

    assert _folders() == set()


def test_a_system_that_listens_and_is_not_ready_says_what_it_answers(tmp_path: Path) -> None:
    """By its own path, or by / where it has none."""
    with open_system(_system(ready={"path": "/health"}), NAMES, _environment(), tmp_path / "log") as started:
        for ready, says in (({"path": "/live"}, r"/live answers 503"), ({}, r"GET \S+/ answers 503")):
            there = {"name": "there", "url": started.url, "speaks": "openai", "ready": {**ready, "within": "200ms"}}
            with (
                pytest.raises(TestbedError, match=says),
                open_system(System.model_validate(there), NAMES, _environment(), tmp_path / "other"),
            ):
                pass


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before anything is started, with what to do."""
    with (
        pytest.raises(UsageError, match="system app: no such command: litelm; write its path, or put its"),
        open_system(_system("litelm --port {port}"), NAMES, _environment(), tmp_path / "log"),
    ):
        pass


def test_a_program_of_mockbots_own_environment_is_found(tmp_path: Path) -> None:
    """Although it is not activated; what PATH has comes first."""
    (tmp_path / "uvicorn").write_text("#!/bin/sh\necho mine; exit 3\n")
    (tmp_path / "uvicorn").chmod(0o755)
    (tmp_path / "app.py").write_text("async def app(scope, receive, send): raise SystemExit(4)\n")
    system = System.model_validate({"name": "app", "start": f"uvicorn --app-dir {tmp_path} no:app", "speaks": "openai"})

    for path, says in (("/nowhere", "Could not import module"), (f"{tmp_path}:/bin", "exit code 3 .*: mine")):
        with pytest.raises(TestbedError, match=says), open_system(system, NAMES, {"PATH": path}, tmp_path / "log"):
            pass


def test_a_provider_that_the_scenario_does_not_have_is_named(tmp_path: Path) -> None:
    """Not put into a configuration as it is."""
    system = _system(files={"app.py": "base = '{spare.url}'"})

    with (
        pytest.raises(UsageError, match="needs a provider 'spare', and the scenario has main; add one with --set"),
        open_system(system, NAMES, _environment(), tmp_path / "log"),
    ):
        pass


def test_one_that_runs_already_is_only_waited_for(tmp_path: Path) -> None:
    """Nothing is started, and it cannot be restarted."""
    with open_system(_system(ready={"path": "/health"}), NAMES, _environment(), tmp_path / "log") as started:
        there = System.model_validate(
            {"name": "there", "url": started.url, "speaks": "openai", "ready": {"path": "/health"}}
        )
        with open_system(there, NAMES, _environment(), tmp_path / "other") as running:
            assert running.url == started.url
            running.stop(planned=False)
            assert _get(f"{started.url}/health")


def test_the_files_go_when_mockbot_is_killed(tmp_path: Path) -> None:
    """The guard sees that its parent has gone, ends the system and removes the folder."""
    code = f"""
import os, pathlib
from mockbot.testbed.system.running_system import open_system
from tests.testbed.system.test_running_system import NAMES, _environment, _folders, _system
with open_system(_system(ready={{"path": "/health"}}), NAMES, _environment(), pathlib.Path({str(tmp_path / "log")!r})):
    print(*_folders(), flush=True)
    os.kill(os.getpid(), 9)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout

    for _ in range(100):
        if not any(Path(folder).exists() for folder in printed.split()):
            break
        threading.Event().wait(0.1)
    assert printed
    assert not [folder for folder in printed.split() if Path(folder).exists()]
