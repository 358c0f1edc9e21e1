"""A canary: a key that mockbot did not hand out, in each place of a request, is in nothing that a run leaves."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.commands.build import SHORT, mockbot, run, scenario_file
from tests.commands.clients import canary

pytestmark = [pytest.mark.live, pytest.mark.second]
pytest_plugins = ["pytester"]
CLIENT = Path(canary.__file__)
LOCUSTFILE = """
from locust import events
from mockbot import ChatUser, install
from tests.commands.clients.canary import KEYS

class People(ChatUser):
    group_name = "all"
    api_key = KEYS[0]

install(events)
"""
SUITE = """
import pytest
from tests.commands.clients.canary import ask

def test_by_hand(mockbot):
    mockbot.fault(http_error=503)
    ask(mockbot.url + "/v1")
    print(mockbot.requests, mockbot.journal())
    mockbot.assert_resilient()

@pytest.mark.outage("unexpected-failure", speed=1000, start_at="blackout", resilient=True)
def test_outage(mockbot):
    ask(mockbot.url + "/v1")
    assert mockbot.requests == ()

def test_in_a_block(mockbot):
    with mockbot.outage("unexpected-failure", speed=1000, start_at="blackout") as outage:
        ask(mockbot.url + "/v1")
    print(list(outage.evidence.requests()))
    outage.assert_resilient()
"""


def leaks(folder: Path, *texts: str) -> list[str]:
    """Where the canary is."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    said = {f"text {number}": text.encode() for number, text in enumerate(texts)}
    return [place for place, content in (files | said).items() if canary.CANARY.encode() in content]


def test_a_commands_keys_are_in_no_file_and_on_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder, logs, reports, GitHub's summary and annotations; stdout and stderr of the run and of its report."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    folder = tmp_path / "run"
    command = (sys.executable, CLIENT, "6", "--api-key", canary.KEYS[2], f"--header=x-api-key: {canary.KEYS[2]}")

    done = run("run", scenario_file(tmp_path), "--out", folder, "--", *command)
    again = run("report", folder)

    assert leaks(tmp_path, done.stdout, done.stderr, again.stdout, again.stderr) == []
    assert (folder / "journal.jsonl").read_text("utf-8").count("client-") > 100
    assert done.returncode == again.returncode == 1, done.stdout


def test_a_suites_keys_are_in_no_report(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failing test prints of its requests and journal, and the run folders, which are judged again as before."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makepyfile(SUITE)
    options = ("-p", "no:locust", "-p", "no:cacheprovider", "--mockbot-report=report", "--junitxml=junit.xml", "-vv")

    result = pytester.runpytest_subprocess(*options)

    assert leaks(pytester.path, result.stdout.str(), result.stderr.str()) == []
    assert "client-" in result.stdout.str()
    folders = [path.parent for path in (pytester.path / "report").rglob("run.json")]
    summaries = [(folder / "summary.json").read_bytes() for folder in folders]
    assert leaks(pytester.path, *(run("report", folder).stdout for folder in folders)) == []
    assert len(folders) == 2
    assert [(folder / "summary.json").read_bytes() for folder in folders] == summaries


def test_a_served_outage_says_no_key(tmp_path: Path) -> None:
    """Its lines and its metrics."""
    command = mockbot("serve", scenario_file(tmp_path))
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("calm"):
            lines.append(process.stdout.readline())
        url = next(line for line in lines if "OPENAI_BASE_URL=" in line).strip().partition("=")[2]
        canary.ask(url)
        metrics = httpx.get(f"{url.removesuffix('/v1')}/metrics", trust_env=False).text
        process.terminate()
        out, error = process.communicate(timeout=30)

    assert leaks(tmp_path, *lines, out, error, metrics) == []
    assert "mockbot" in metrics


@pytest.mark.nightly
def test_a_load_tests_own_key_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locustfile whose users have a key of their own: Locust's log and tables too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "own.py").write_text(LOCUSTFILE, "utf-8")

    crowded = SHORT.replace("users: 1}", "users: 20}").replace("policy: once", "policy: once, think: 1s")

    done = run("run", scenario_file(tmp_path, crowded), "--locustfile", tmp_path / "own.py", "--out", tmp_path / "run")

    assert leaks(tmp_path, done.stdout, done.stderr) == []
    assert "prompt" in (tmp_path / "run" / "journal.jsonl").read_text("utf-8"), done.stdout
