"""`mockbot serve` from outside: what it prints, what a client meets, how it is stepped through, how it ends."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands.build import mockbot, run, scenario_file
from tests.ports import free_ports

pytestmark = [pytest.mark.live, pytest.mark.second]
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


class Served:
    """A running `mockbot serve`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []

    def until(self, pattern: str) -> "re.Match[str]":
        """Read its output up to a line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"no {pattern!r} in:\n" + "\n".join(self.lines))

    def control(self) -> str:
        """The address of its control endpoint, which it has printed."""
        return next(line.rpartition(" ")[2] for line in self.lines if line.startswith("where it is:"))

    @property
    def variables(self) -> dict[str, str]:
        """The environment that it has printed so far."""
        exported = [shlex.split(line)[1] for line in self.lines if line.startswith("export ")]
        return dict(each.split("=", 1) for each in exported)

    def ask(self) -> int:
        """The status of one question."""
        url = f"{self.variables['OPENAI_BASE_URL']}/chat/completions"
        return httpx.post(url, json=QUESTION, timeout=5, trust_env=False).status_code


@contextmanager
def served(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    command = mockbot("serve", scenario_file(folder), *options)
    variables = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        try:
            play = Served(process)
            yield play
        finally:
            process.send_signal(signal.SIGINT)
            if process.stdout is not None:
                play.lines += process.stdout.read().splitlines()


def test_it_plays_the_phases_and_says_what_is_wrong(tmp_path: Path) -> None:
    """Each phase is announced as it begins, with its faults, and the client meets them."""
    with served(tmp_path) as play:
        play.until("^calm .*: no fault is scheduled now")
        well = play.ask()
        play.until(r"^blackout \(3s, 3 s of your time\): http_error 503 on main")
        ill = play.ask()
        play.until("^after ")
        play.until("the outage is over")

        assert [well, ill, play.ask()] == [200, 503, 200]
        assert any("hit: 1 by blackout.0.http_error" in line for line in play.lines)


def test_it_says_what_clients_ask_for_in_vain(tmp_path: Path) -> None:
    """Once when it is asked for first, and with the whole count at the end."""
    with served(tmp_path) as play:
        play.until("^calm ")
        for _ in range(2):
            httpx.get(f"{play.variables['OPENAI_BASE_URL']}/files", timeout=5, trust_env=False)
        play.until("^  . requests? to GET /v1/files, which mockbot does not serve")

    assert any(line.startswith("2 requests to GET /v1/files, which mockbot does not serve") for line in play.lines)


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit code 130, and nothing listens at the printed addresses any more."""
    with served(tmp_path) as play:
        play.until("^calm ")

    port = int(play.variables["MOCKBOT_URL"].rsplit(":", 1)[1])
    assert play.process.returncode == 130
    with closing(socket.socket()) as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def test_every_provider_and_the_status_page_have_an_address(tmp_path: Path) -> None:
    """SDKs go to the first provider that speaks their dialect; every provider is there by name."""
    with served(tmp_path) as play:
        play.until("^calm ")
        told = play.variables

        assert told["OPENAI_BASE_URL"] == f"{told['MOCKBOT_MAIN_URL']}/v1"
        assert told["ANTHROPIC_BASE_URL"] == told["MOCKBOT_OTHER_URL"]
        assert "127.0.0.1" in told["NO_PROXY"]
        page = httpx.get(f"{told['MOCKBOT_STATUS_URL']}/api/v2/status.json", trust_env=False)
        assert page.json()["status"]["indicator"] == "none"


def test_it_begins_where_it_is_told_and_stays_there(tmp_path: Path) -> None:
    """--hold: nothing but that phase, and time passes in it without end."""
    with served(tmp_path, "--hold", "blackout", "--speed", "10") as play:
        play.until(r"^blackout \(held\)")
        control = play.control()

        state = httpx.get(control, trust_env=False).json()

        assert (state["phase"], state["held"], state["wrong"]) == ("blackout", True, ["http_error 503 on main"])
        assert play.ask() == 503


def test_it_is_stepped_through_by_hand(tmp_path: Path) -> None:
    """A step begins the next phase and stays there, a jump goes anywhere, and `go` lets time pass again."""
    with served(tmp_path, "--hold", "calm") as play:
        play.until("^calm ")
        control = play.control()
        statuses = [play.ask()]
        stepped = httpx.post(f"{control}/next", trust_env=False, timeout=30).json()
        statuses.append(play.ask())
        httpx.post(f"{control}/phase/after", trust_env=False, timeout=30)
        statuses.append(play.ask())
        gone = httpx.post(f"{control}/go", trust_env=False, timeout=30).json()

        assert statuses == [200, 503, 200]
        assert (stepped["phase"], stepped["held"]) == ("blackout", True)
        assert (gone["phase"], gone["held"]) == ("calm", False)
        play.until("^blackout ")


def test_the_remote_refuses_browsers_and_unknown_phases(tmp_path: Path) -> None:
    """No web page can reach into it, and a phase that is not there is named with its neighbours."""
    with served(tmp_path, "--hold", "calm") as play:
        play.until("^calm ")
        control = play.control()

        browser = httpx.post(f"{control}/next", headers={"origin": "http://evil.example"}, trust_env=False)
        unknown = httpx.post(f"{control}/phase/blackot", trust_env=False)

        assert browser.status_code == 403
        assert unknown.status_code == 404
        assert "did you mean 'blackout'" in unknown.json()["error"]


def test_it_begins_again_when_it_loops(tmp_path: Path) -> None:
    """--loop: after the last phase comes the first one, and every round counts its own requests and hits."""
    with served(tmp_path, "--loop") as play:
        play.until("^blackout ")
        play.ask()
        play.until("hit: 1 by blackout.0.http_error")
        for phase in ("calm", "blackout"):
            play.until(f"^{phase} ")
        play.ask()
        play.until("hit: 1 by blackout.0.http_error")

        assert not [line for line in play.lines if re.search("hit: [2-9]", line)]
        assert play.until("^calm ")


def test_it_listens_where_it_is_told(tmp_path: Path) -> None:
    """--port: the first provider's port, and the next one for the next provider."""
    port, next_port = free_ports(2)
    with served(tmp_path, "--port", str(port), "--hold", "calm") as play:
        play.until("^calm ")

        assert play.variables["MOCKBOT_MAIN_URL"] == f"http://127.0.0.1:{port}"
        assert play.variables["MOCKBOT_OTHER_URL"] == f"http://127.0.0.1:{next_port}"
        assert play.ask() == 200


def test_what_clients_did_is_recorded_and_can_be_judged(tmp_path: Path) -> None:
    """--record: one run of all that was stepped through, hits by provider on the terminal, and a report afterwards."""
    kept = tmp_path / "kept"
    with served(tmp_path, "--hold", "blackout", "--record", str(kept)) as play:
        play.until("^blackout ")
        statuses = [play.ask() for _ in range(3)]
        for phase in ("after", "blackout", "after"):
            httpx.post(f"{play.control()}/phase/{phase}", trust_env=False, timeout=30)
            statuses.append(play.ask())

    again = run("report", str(kept))
    summary = json.loads((kept / "summary.json").read_text("utf-8"))
    assert statuses == [503, 503, 503, 200, 503, 200]
    assert any("main: 3 requests; hit: 3 by blackout.0.http_error" in line for line in play.lines)
    journal = [json.loads(line) for line in (kept / "journal.jsonl").read_text("utf-8").splitlines()]
    prompts = [(line["settled"], line["attempts"]) for line in journal if line["kind"] == "prompt"]
    assert prompts == [("answered", 4), ("answered", 2)]  # each began in a blackout and was answered after it
    assert (again.returncode in {0, 1, 3}, "ignores_retry_after" in again.stdout) == (True, True)
    assert [phase["name"] for phase in summary["phases"]] == ["blackout", "after", "blackout-2", "after-2"]
    felt = {fault["id"]: fault["felt"] for fault in summary["faults"]}
    assert felt == {"blackout.0.http_error": 3, "blackout-2.0.http_error": 1}
    # On a busy machine a look at the service may take long.
    assert {guard["name"] for guard in summary["guards"] if not guard["ok"]} <= {"testbed"}


def test_an_unknown_phase_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2, before anything is started."""
    done = run("serve", scenario_file(tmp_path), "--hold", "blackot")

    assert done.returncode == 2
    assert "short has no phase 'blackot'; did you mean 'blackout'?" in done.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="a wall clock that steps back NOT TESTED: no C compiler")
@pytest.mark.parametrize("offset", ["-60", "-3600", "26000000"])
def test_a_wall_clock_that_is_set_delays_no_answer(tmp_path: Path, offset: str) -> None:
    """By NTP after a resume, or because a virtual machine has moved: every duration is of the monotonic clock."""
    library, clock = tmp_path / "clock.so", tmp_path / "clock"
    source = Path(__file__).parents[1] / "e2e" / "wall_clock.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    preloaded = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(clock)}
    with served(tmp_path, environment=preloaded) as play:
        play.until("^after ")
        before = play.ask()
        clock.write_text(offset, "utf-8")

        assert [before, play.ask(), play.ask()] == [200, 200, 200]
