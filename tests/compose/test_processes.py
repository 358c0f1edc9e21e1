"""What compose would start, started as plain processes on loopback, with the commands of the file."""

import contextlib
import json
import random
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.compose.compose_file import ROOT, parts
from tests.compose.scenario import BUSY, SHORT
from tests.proxy.conftest import toxiproxy as toxiproxy  # noqa: PLC0414 - a fixture
from tests.proxy.wire import eventually

pytestmark = [pytest.mark.second, pytest.mark.timeout(180)]
SPAN = 16  # ports in a row


@dataclass(frozen=True)
class Composed:
    """The parts, running; `master` ends by itself."""

    folder: Path
    base: int
    master: "subprocess.Popen[bytes]"
    processes: "list[subprocess.Popen[bytes]]"

    @property
    def control(self) -> str:
        return f"http://127.0.0.1:{self.base}"

    @property
    def toxiproxy(self) -> str:
        return f"http://127.0.0.1:{self.base + 8}"

    def run_folder(self) -> Path:
        """Of the one run."""
        [folder] = (path for path in (self.folder / "runs").iterdir() if not path.is_symlink())
        return folder


def free_ports() -> int:
    """The first of several free ports in a row."""
    for base in random.Random().sample(range(20000, 30000, SPAN), 100):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(base, base + SPAN):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise AssertionError("no free ports")


def on_loopback(command: list[str], folder: Path, base: int) -> list[str]:
    """The command, with host names, ports and paths of this machine instead of the containers'."""
    here = {
        "python": sys.executable,
        "locust": f"{Path(sys.executable).parent / 'locust'}",
        "--locustfile=loadtests/chat.py": f"--locustfile={ROOT / 'loadtests/chat.py'}",
        "--host=0.0.0.0": "--host=127.0.0.1",
        "--port-base=8000": f"--port-base={base}",
        "--token-file=/run/mockbot/token": f"--token-file={folder / 'token'}",
        "--service=http://service:8000": f"--service=http://127.0.0.1:{base}",
        "--toxiproxy-url=http://toxiproxy:8474": f"--toxiproxy-url=http://127.0.0.1:{base + 8}",
        "--proxy-ports=8666": f"--proxy-ports={base + 10}",
        "--master": f"--master-bind-port={base + 9}",
        "--master-host=master": f"--master-port={base + 9}",
        "-host=0.0.0.0": "-host=127.0.0.1",
    }
    words = [here.get(word, word) for word in command]
    return words + (["--master"] if "--master" in command else [])


def answers(url: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - ours
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    return ask


@pytest.fixture
def composed(toxiproxy: Path, tmp_path: Path) -> Iterator[Composed]:
    """Service, Toxiproxy, a master without web UI and two workers; all are gone afterwards."""
    (tmp_path / "short.yaml").write_text(SHORT, "utf-8")
    base, file = free_ports(), parts(MOCKBOT_SCENARIO="short.yaml")
    processes: list[subprocess.Popen[bytes]] = []
    with contextlib.ExitStack() as stack:

        def start(name: str, *more: str, program: str = "") -> "subprocess.Popen[bytes]":
            words = on_loopback(file[name].command, tmp_path, base)
            log = stack.enter_context((tmp_path / f"{name}.log").open("ab"))
            command = [*([program] if program else []), *words, *more]
            process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            stack.callback(end, process)
            processes.append(process)
            return process

        start("service")
        start("toxiproxy", "-port", str(base + 8), program=str(toxiproxy))
        assert eventually(answers(f"http://127.0.0.1:{base}"), 30), (tmp_path / "service.log").read_text("utf-8")
        assert eventually(answers(f"http://127.0.0.1:{base + 8}/version"), 10)
        master = start("master", "--headless", "--expect-workers", "2")
        for _ in range(2):
            start("worker")
        yield Composed(tmp_path, base, master, processes)


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def said(composed: Composed) -> str:
    return (composed.folder / "master.log").read_text("utf-8")


def test_a_scenario_passes_through_the_composed_parts(composed: Composed) -> None:
    """Faults of the service and of the wire, felt by the users of two workers; judged by the master."""
    code = composed.master.wait(120)

    summary = json.loads((composed.run_folder() / "summary.json").read_text("utf-8"))
    broken = {guard["name"] for guard in summary["guards"] if not guard["ok"]}
    assert (code == 0) == (broken == set()), said(composed)
    assert broken <= BUSY, said(composed)
    assert (summary["run"]["engine"], summary["run"]["nodes"]) == ("toxiproxy", 2)
    assert {fault["kind"] for fault in summary["faults"] if fault["felt"]} >= {"latency", "reset_peer", "http_error"}


def test_nothing_of_ours_is_left_on_the_proxy(composed: Composed) -> None:
    """Both providers had a proxy while it ran; afterwards Toxiproxy is empty, and its ports are closed."""
    assert eventually(lambda: set(proxies(composed)) == {"mockbot-main", "mockbot-other"}, 30), said(composed)
    listens = [proxy["listen"] for proxy in proxies(composed).values()]
    composed.master.wait(120)

    assert proxies(composed) == {}
    assert sorted(listens) == [f"[::]:{composed.base + 10}", f"[::]:{composed.base + 11}"]


@pytest.mark.nightly
def test_a_killed_master_leaves_no_proxy_behind(composed: Composed) -> None:
    """kill -9 in the middle: the lease deletes them, so that the next master finds the ports free."""
    assert eventually(lambda: "mockbot-main" in proxies(composed), 30), said(composed)
    composed.master.kill()

    assert eventually(lambda: proxies(composed) == {}, 15)


def proxies(composed: Composed) -> dict[str, dict[str, str]]:
    with urllib.request.urlopen(f"{composed.toxiproxy}/proxies", timeout=5) as answer:  # noqa: S310 - ours
        return dict(json.load(answer))


def test_control_asks_for_the_token(composed: Composed) -> None:
    """Which is in a file that only its owner can read, and in nothing that the service prints."""
    token = (composed.folder / "token").read_text("utf-8")

    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{composed.control}/_mockbot/health", timeout=5)  # noqa: S310 - ours
    assert (composed.folder / "token").stat().st_mode & 0o077 == 0
    assert token not in (composed.folder / "service.log").read_text("utf-8")
    commands = [" ".join(psutil.Process(process.pid).cmdline()) for process in composed.processes]
    assert all(commands)
    assert not any(token in command for command in commands)


@pytest.mark.nightly
def test_a_service_that_plays_something_else_is_refused(composed: Composed) -> None:
    """A master with another scenario than the service's says so, and plays nothing."""
    command = on_loopback(parts(MOCKBOT_SCENARIO="traffic-surge")["master"].command, composed.folder, composed.base)
    alone = [word for word in command if not word.startswith("--master")]
    done = subprocess.run(
        [*alone, "--headless"], cwd=composed.folder, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2, done.stderr
    assert "serves composed; start it with traffic-surge" in done.stderr


def test_a_second_service_does_not_share_the_ports(composed: Composed) -> None:
    """Two services on one port would each get half of the requests: the second one is refused."""
    command = on_loopback(parts(MOCKBOT_SCENARIO="short.yaml")["service"].command, composed.folder, composed.base)
    done = subprocess.run(command, cwd=composed.folder, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 4, done.stderr
    assert "cannot be listened on" in done.stderr
