"""`mockbot run FILE -- COMMAND` from outside: programs of several kinds are the client, and are judged fairly."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from mockbot.commands import external_client
from mockbot.commands.external_client import ClientOptions, run_client_command
from mockbot.errors import ExitCode, TestbedError
from mockbot.scenario.load import read_scenario
from mockbot.testbed.client_observer import ClientObserver
from mockbot.testbed.driver import Driver
from tests.commands.build import SHORT, mockbot, run, scenario_file

pytestmark = pytest.mark.live
SHELL = Path(__file__).parent / "clients" / "ask.sh"
CLIENTS = Path(__file__).parent / "clients"


def summary(folder: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "summary.json").read_text("utf-8"))
    return told


def judged(tmp_path: Path, *command: str | Path) -> "tuple[subprocess.CompletedProcess[str], Path]":
    folder = tmp_path / "run"
    return run("run", scenario_file(tmp_path), "--out", folder, "--", *command), folder


def journal(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.second
def test_a_command_that_asks_nothing_never_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is no success: exit code 3, and it says that nothing was asked, and who may have been asked instead."""
    monkeypatch.setenv("CO_API_URL", "https://example.invalid")
    done, _ = judged(tmp_path, "true")

    assert done.returncode == 3
    assert "no prompt is on record" in done.stdout
    assert "CO_API_URL" in done.stdout


@pytest.mark.second
def test_a_loop_that_never_waits_fails_with_its_evidence(tmp_path: Path) -> None:
    """Requests in a loop, through the blackout: its habits are named, with prompt, time and waits."""
    done, folder = judged(tmp_path, sys.executable, CLIENTS / "naive.py", "6")

    assert done.returncode == 1
    assert "ignores_retry_after of group command: expected == 0, saw 1" in done.stdout.replace("\n", " ")
    assert "retries_without_end" in done.stdout
    assert {line["group"] for line in journal(folder)} == {"command"}


@pytest.mark.second
def test_what_its_author_accepts_is_no_reason_to_fail(tmp_path: Path) -> None:
    """--allow: the habits that are named are out of the verdict; the same loop fails without (above)."""
    naive = (sys.executable, CLIENTS / "naive.py", "6")
    folder = tmp_path / "run"
    allowed = ["--allow", "ignores_retry_after", "--allow", "retries_without_end"]
    done = run("run", scenario_file(tmp_path), "--out", folder, *allowed, "--", *naive)

    measured = {line["measure"] for line in summary(folder)["expectations"]}  # type: ignore[attr-defined]
    assert not {"ignores_retry_after", "retries_without_end"} & measured
    assert done.returncode == 0, done.stdout


@pytest.mark.second
def test_an_sdk_with_its_defaults_passes(tmp_path: Path) -> None:
    """It waits as long as it is told, and gives up after three attempts: nothing of that makes an outage worse."""
    done, folder = judged(tmp_path, sys.executable, CLIENTS / "tidy.py", "6")

    assert done.returncode == 0, done.stdout
    assert max(int(str(line["attempts"])) for line in journal(folder) if line["kind"] == "prompt") == 3
    assert "expectations are of the scenario's own crowd and left out" in done.stdout.replace("\n", " ")


@pytest.mark.second
def test_an_anthropic_sdk_goes_to_the_provider_that_speaks_it(tmp_path: Path) -> None:
    """ANTHROPIC_BASE_URL leads to the anthropic provider, where nothing is wrong here: the client felt no fault."""
    done, folder = judged(tmp_path, sys.executable, CLIENTS / "anthropic_client.py", "5")

    assert {line["provider"] for line in journal(folder) if line["kind"] == "attempt"} == {"other"}
    assert done.returncode == 3
    assert "felt no fault" in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.second
def test_curl_in_a_shell_script_is_a_client(tmp_path: Path) -> None:
    """Three questions, ten times each with curl's own retries: waits for Retry-After and passes."""
    done, folder = judged(tmp_path, "sh", SHELL, "6")

    assert done.returncode == 0, done.stdout
    assert {line["outcome"] for line in journal(folder) if line["kind"] == "attempt"} == {"ok", "http_error"}


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node finds `openai`; skips where there is no Node, no npm or no registry."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true, "type": "module"}', "utf-8")
    install = [npm, "install", "--no-audit", "--no-fund", "--silent", "openai@6"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode:
        pytest.skip(f"npm could not install openai: {done.stderr.strip()[:200]}")
    shutil.copy(CLIENTS / "node_client.mjs", folder)
    return folder


@pytest.mark.second
def test_a_node_program_is_a_client(tmp_path: Path, node_modules: Path) -> None:
    """`openai` from npm reads the same environment, tells its retries apart, and passes."""
    done, folder = judged(tmp_path, "node", node_modules / "node_client.mjs", "6")

    assert done.returncode == 0, done.stdout
    assert max(int(str(line["attempts"])) for line in journal(folder) if line["kind"] == "prompt") == 3


@pytest.mark.second
def test_a_failing_command_fails(tmp_path: Path) -> None:
    """Its own tests know best: a client that behaved well but ends with 7 has failed, and the 7 is told."""
    done, _ = judged(tmp_path, "sh", "-c", f"{sys.executable} {CLIENTS / 'tidy.py'} 5; exit 7")

    assert done.returncode == 1
    assert "the command ended with exit code 7" in done.stdout.replace("\n", " ")


@pytest.mark.second
def test_a_command_that_leaves_early_is_undecided(tmp_path: Path) -> None:
    """Who leaves before the outage is over has not lived through it."""
    done, _ = judged(tmp_path, sys.executable, CLIENTS / "naive.py", "0.2")

    assert done.returncode == 3
    assert "something was wrong until 0:04" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--speed", "20", "--", "true"), "a command keeps its own clock"),
        (("--", "no-such-command-here"), "no such command: no-such-command-here"),
        (("--allow", "ignore_retry_after", "--", "true"), "not an anti-pattern; did you mean 'ignores_retry_after'?"),
        (("--allow", "ignores_retry_after"), "--allow needs `-- COMMAND`"),
    ],
)
def test_what_cannot_work_is_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2 with the reason, before anything is started."""
    done = run("run", scenario_file(tmp_path), *arguments)

    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.second
def test_an_old_command_run_is_judged_again_the_same(tmp_path: Path) -> None:
    """`mockbot report` needs nothing but the folder."""
    done, folder = judged(tmp_path, sys.executable, CLIENTS / "naive.py", "6")

    again = run("report", folder)

    assert again.returncode == done.returncode == 1
    assert "ignores_retry_after" in again.stdout


@pytest.mark.second
def test_what_the_testbed_did_not_tell_at_the_end_is_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is good, and its last requests are not on record: the run is undecided, and says why."""
    is_over = list[bool]()

    class Silent(ClientObserver):
        """Its service answers as long as the driver asks it."""

        def look(self) -> None:
            if is_over:
                raise TestbedError("no answer")
            super().look()

    stop = Driver.stop

    def stop_and_hang(driver: Driver) -> None:
        stop(driver)
        is_over.append(True)

    monkeypatch.setattr(Driver, "stop", stop_and_hang)
    monkeypatch.setattr(external_client, "ClientObserver", Silent)
    command = (sys.executable, str(CLIENTS / "naive.py"), "6")

    code = run_client_command(read_scenario(SHORT), ClientOptions(command, out=tmp_path / "run"), Console(quiet=True))

    assert code == ExitCode.INCONCLUSIVE
    assert "the last records of the testbed are missing (no answer)" in str(summary(tmp_path / "run")["reasons"])


@pytest.mark.second
def test_a_command_whose_guard_is_killed_is_undecided(tmp_path: Path) -> None:
    """Nobody knows how the command would have ended: exit 3 with the reason, and the command is gone."""
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}; sleep 300"
    command = mockbot("run", scenario_file(tmp_path), "--out", tmp_path / "run", "--", "sh", "-c", script)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while not (pid_file.exists() and pid_file.read_text("utf-8").strip()):
            assert process.poll() is None
            time.sleep(0.05)
        pid = int(pid_file.read_text("utf-8"))
        psutil.Process(pid).parent().kill()  # type: ignore[union-attr]
        out, _ = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "signal 9 ended the guard of the command" in " ".join(out.split())
    assert not alive(pid)


@pytest.mark.second
def test_a_killed_run_leaves_no_command_behind(tmp_path: Path) -> None:
    """`kill -9` of mockbot: the lease ends, and the command with its children is gone within seconds."""
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}; sleep 300"
    command = mockbot("run", scenario_file(tmp_path), "--out", tmp_path / "run", "--", "sh", "-c", script)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        for _ in range(400):
            if pid_file.exists() and pid_file.read_text("utf-8").strip():
                break
            time.sleep(0.05)
        pid = int(pid_file.read_text("utf-8"))
        process.send_signal(signal.SIGKILL)

    for _ in range(200):
        if not alive(pid):
            break
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.second
def test_a_reader_that_leaves_ends_no_run(tmp_path: Path) -> None:
    """`mockbot run ... | head -1` with pipefail: the run is judged all the same, and its exit code is the verdict's."""
    folder = tmp_path / "run"
    line = mockbot("run", scenario_file(tmp_path), "--out", folder, "--", sys.executable, CLIENTS / "tidy.py", "6")
    piped = ["bash", "-c", 'set -o pipefail; "$@" | head -1', "-", *line]
    done = subprocess.run(piped, capture_output=True, text=True, check=False, timeout=90)

    assert ExitCode(done.returncode).name.lower() == summary(folder)["verdict"], done.stderr
