"""The hook at changes of phase: who is told what, and that nothing it does reaches the run."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from mockbot.commands.run_observers import Observers
from mockbot.errors import ScenarioError, UsageError
from mockbot.observability import phase_hook
from mockbot.observability.phase_hook import PhaseHook, PhaseMessage, check_hook
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.commands.test_serve import served
from tests.observability.test_trace_spans import SCENARIO

pytestmark = pytest.mark.live

MESSAGE = PhaseMessage.of("short", "down", 10.0, ["http_error 503 on main"])


class Chat:
    """Where messages are posted."""

    def __init__(self) -> None:
        self.url, self.status, self.got = "", 200, list[dict[str, Any]]()
        self.location = ""  # where it redirects to


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A server that keeps what is posted."""
    found = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(found.status)
            if found.location:
                self.send_header("location", found.location)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield found
        server.shutdown()


def told(target: str, *messages: PhaseMessage) -> list[str]:
    """What failed."""
    failures = list[str]()
    hook = PhaseHook(target, failures.append)
    for message in messages:
        hook.tell(message)
    hook.close()
    return failures


def test_a_message_has_a_text_that_chats_show_and_fields_for_programs(chat: Chat) -> None:
    """Slack's `text`; the phase, both clocks and what is wrong."""
    assert told(chat.url, MESSAGE) == []

    [got] = chat.got
    assert got["text"] == "mockbot short [0:10]: phase down, http_error 503 on main"
    assert (got["scenario"], got["phase"], got["scenario_second"]) == ("short", "down", 10.0)
    assert got["wrong"] == ["http_error 503 on main"]
    assert got["wall_time"].endswith("+00:00")


def test_each_phase_is_told_once_and_so_is_the_verdict(chat: Chat) -> None:
    """However often the run looks at its clock."""
    watching = Observers(Timeline(read_scenario(SCENARIO)))
    watching.hook = PhaseHook(chat.url, watching.failures.append)
    for second in (0.0, 5.0, 10.0, 15.0, 20.0, 25.0):
        watching.at(second)
    watching.hook.tell(PhaseMessage.judged("short", 25.0, "fail", "runs/x/report.html"))
    watching.hook.close()

    assert [got["phase"] for got in chat.got] == ["calm", "down", "", ""]
    assert [got["wrong"] for got in chat.got] == [[], ["http_error 503 on main"], [], []]
    assert (chat.got[-1]["verdict"], chat.got[-1]["report"]) == ("fail", "runs/x/report.html")


def test_a_command_finds_the_message_in_its_environment(tmp_path: Path) -> None:
    """No shell is between."""
    program = tmp_path / "hook.py"
    program.write_text(
        "import os, pathlib\n"
        f"said = pathlib.Path({str(tmp_path / 'said')!r})\n"
        "said.write_text(os.environ['MOCKBOT_PHASE'] + os.environ['MOCKBOT_WRONG'])\n"
    )

    assert told(f"{sys.executable} {program}", MESSAGE) == []
    assert (tmp_path / "said").read_text() == "downhttp_error 503 on main"


def test_what_fails_is_told_with_its_reason(chat: Chat) -> None:
    """By phase."""
    chat.status = 500

    [posted] = told(chat.url, MESSAGE)
    [ran] = told(f"{sys.executable} -c 'raise SystemExit(\"no pager\")'", MESSAGE)

    where = chat.url.split("/")[2]
    assert posted == f"--on-phase failed at phase down: {where}: 500 Internal Server Error"
    assert ran == f"--on-phase failed at phase down: {sys.executable}: exit code 1: no pager"


def test_a_redirect_is_no_success(chat: Chat) -> None:
    """Whoever follows one sends a GET without the message."""
    chat.status, chat.location = 301, chat.url

    [failed] = told(chat.url, MESSAGE)

    assert failed.endswith("301 Moved Permanently; give the URL to which it redirects")


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/services/REALSECRET", "http://no.invalid/REALSECRET", "sh -c 'sleep 60' REALSECRET"]
)
def test_the_words_of_a_hook_are_told_to_nobody(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They let whoever reads a log of CI post messages."""
    monkeypatch.setattr(phase_hook, "WITHIN", 0.2)

    [failed] = told(target, MESSAGE)

    assert "REALSECRET" not in failed
    assert failed.startswith("--on-phase failed at phase down: ")


def test_a_command_that_writes_without_end_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended like any other that hangs; what it writes is dropped."""
    monkeypatch.setattr(phase_hook, "WITHIN", 1.0)
    before = psutil.Process().memory_info().rss

    [failed] = told("yes", MESSAGE)

    assert failed == "--on-phase failed at phase down: yes: it took longer than 1 s"
    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_a_hook_that_hangs_is_ended_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tell` has returned at once; the command and what it started are gone afterwards."""
    monkeypatch.setattr(phase_hook, "LAST_WITHIN", 1.5)
    mark = tmp_path / "pid"
    program = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(600)"
    failures = list[str]()
    hook = PhaseHook(f"{sys.executable} -c {json.dumps(program)}", failures.append)
    for _ in range(3):
        hook.tell(MESSAGE)  # each command takes ten minutes: waiting for one would end this test

    hook.close()

    assert [line for line in failures if "was still busy" in line]
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_a_command_that_is_just_starting_is_ended_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the run comes between the decision to start it and its process."""
    monkeypatch.setattr(phase_hook, "LAST_WITHIN", 0.1)
    begins, started, start = threading.Event(), list[subprocess.Popen[bytes]](), subprocess.Popen

    def slowly(*words: Any, **options: Any) -> "subprocess.Popen[bytes]":
        begins.set()
        time.sleep(0.5)
        started.append(start(*words, **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", slowly)
    hook = PhaseHook(f"{sys.executable} -c 'import time; time.sleep(600)'", lambda _: None)
    hook.tell(MESSAGE)
    begins.wait(5)

    hook.close()

    hook._thread.join(5)
    assert not hook._thread.is_alive()
    assert started[0].returncode is not None


@pytest.mark.parametrize("target", ["no-such-program --x", "http://", "'unclosed", ""])
def test_what_cannot_be_a_hook_is_an_error_before_the_run(target: str) -> None:
    """Exit code 2."""
    with pytest.raises(UsageError, match="--on-phase"):
        check_hook(target)


def test_no_scenario_file_names_a_hook() -> None:
    """A file is data; whoever runs it says what is executed."""
    with pytest.raises(ScenarioError, match="on_phase"):
        read_scenario(SCENARIO + "on_phase: touch /tmp/x\n")


@pytest.mark.second
@pytest.mark.parametrize("failing", [False, True])
def test_a_run_tells_its_phases_and_its_verdict_is_its_own(tmp_path: Path, chat: Chat, failing: bool) -> None:
    """The same exit code with a hook that is taken and with one that is refused, which is told."""
    chat.status = 500 if failing else 200
    (tmp_path / "short.yaml").write_text(f"{SCENARIO}expect:\n  - {{phase: calm, availability: '>= 1%'}}\n")
    command = [sys.executable, "-m", "mockbot", "run", str(tmp_path / "short.yaml"), "--out", str(tmp_path / "run")]

    ran = subprocess.run([*command, "--on-phase", chat.url], capture_output=True, text=True, check=False, timeout=100)

    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert [got["phase"] for got in chat.got][:2] == ["calm", "down"]
    assert chat.got[-1]["verdict"] == summary["verdict"]
    assert {"pass": 0, "fail": 1, "inconclusive": 3}[summary["verdict"]] == ran.returncode
    assert (": 500 Internal Server Error" in ran.stdout) == failing


@pytest.mark.second
def test_serve_tells_its_phases_and_the_end_of_the_outage(tmp_path: Path, chat: Chat) -> None:
    """As they begin."""
    with served(tmp_path, "--on-phase", chat.url) as play:
        play.until("the outage is over")

    assert [(got["phase"], bool(got["wrong"])) for got in chat.got] == [
        ("calm", False), ("blackout", True), ("after", False), ("", False),
    ]  # fmt: skip


@pytest.mark.second
def test_a_foreign_client_and_a_drill_tell_their_phases(tmp_path: Path, chat: Chat) -> None:
    """The same messages, whoever the client is."""
    (tmp_path / "short.yaml").write_text(SCENARIO.replace("10s", "2s").replace("speed: 10", "speed: 1"))
    waits = [sys.executable, "-c", "import time; time.sleep(3)"]
    for name, after in (("run", ["--", *waits]), ("drill", ["--seed", "1"])):
        command = [sys.executable, "-m", "mockbot", name, str(tmp_path / "short.yaml"), "--on-phase", chat.url]
        subprocess.run(
            [*command, "--out", str(tmp_path / name), *after], capture_output=True, text=True, check=False, timeout=100
        )

        assert [got["phase"] for got in chat.got][:2] == ["calm", "down"], name
        assert chat.got[-1]["verdict"], name
        chat.got.clear()
