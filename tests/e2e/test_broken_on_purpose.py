"""A testbed that fails must not look like a client that survived: each way to break a run, and what it says then."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.live
Start = Callable[..., Run]
Short = Callable[[str], Path]

SABOTAGE = """
from locust import events

from mockbot.testbed.driver import Driver
from mockbot.load.locust_plugin import install
from mockbot.testbed.driver import Driver
from mockbot.load.locust_plugin import install
from mockbot.load.users import ChatUser

install(events)


class Chatter(ChatUser):
    pass


assert callable(Driver._apply_to_service)  # a name that has gone would sabotage nothing
Driver._apply_to_service = lambda self, *what: None
"""


@pytest.mark.nightly
@pytest.mark.second
def test_a_fault_that_the_driver_never_applies_is_named(start: Start, short: Short, tmp_path: Path) -> None:
    """Nobody felt the blackout, so the run says nothing: exit 3, and the fault's id in the reasons."""
    broken = tmp_path / "broken.py"
    broken.write_text(SABOTAGE, "utf-8")
    run = start(short("{http_error: 503}"), "--locustfile", str(broken))

    code = run.finish()

    assert (code, "blackout.0.http_error" in run.output()) == (3, True)


@pytest.mark.second
def test_prompts_that_hang_for_ever_are_on_record(start: Start, short: Short) -> None:
    """A service that never answers again: its prompts are in the journal as unfinished, and the run does not pass."""
    scenario = short("{stall: nothing, lasts: 90s}")
    endless = scenario.read_text("utf-8").replace("policy: backoff", "policy: {name: once, timeout: 1h}")
    scenario.write_text(endless.replace("patience: 60s", "patience: 1h"), "utf-8")
    run = start(scenario)

    code = run.finish()

    journal = [json.loads(line) for line in (run.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    hung = [line for line in journal if line["kind"] == "prompt" and line["settled"] == "unfinished"]
    assert code in {1, 3}
    assert len(hung) >= 30 - 2, "nearly every one of the 30 users hangs by the end"


@pytest.mark.second
def test_a_load_generator_that_is_killed_is_no_pass(start: Start, short: Short) -> None:
    """kill -9 on the Locust child: exit 3 or 4, and nothing is left."""
    run = start(short("{http_error: 503}"))
    run.watch(until=run.load_has_begun)

    locust = next(child for child in run.descendants if "locust" in child.cmdline())
    locust.kill()

    assert run.finish() in {3, 4}
    assert run.left() == ([], [])


@pytest.mark.parametrize(
    ("part", "how"),
    [
        ("service", "stopped"),
        ("proxy", "killed"),
        pytest.param("service", "killed", marks=pytest.mark.nightly),
        pytest.param("proxy", "stopped", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.second
def test_a_testbed_that_fails_after_the_last_change_is_no_pass(start: Start, short: Short, part: str, how: str) -> None:
    """Killed, or stopped for 2.2 s, when no fault has to begin or end any more: exit 3, with what failed and when.

    A run whose service or proxy has gone ends then, and not at its planned end, half a minute later.
    """
    longer = ("--set", "phase.after.lasts=10m") if how == "killed" else ()
    run = start(short("{http_error: 503}"), *longer)
    run.watch(until=lambda: b'"end"' in _bytes_of(run.folder / "actions.jsonl"))

    child = next(each for each in run.descendants if f"mockbot.{part}" in each.cmdline())
    if how == "killed":
        child.kill()
    else:
        child.suspend()
        time.sleep(2.2)
        child.resume()
    code = run.finish()

    words = " ".join(run.output().split())
    assert (code, f"the {part} failed at " in words) == (3, True)
    assert (f"the {part} ended or was killed while it was needed" in words) == (how == "killed")
    assert run.left() == ([], [])


def _bytes_of(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


@pytest.mark.parametrize(
    "signal_",
    [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)],
    ids=["SIGKILL", "SIGTERM"],
)
@pytest.mark.second
def test_a_worker_that_leaves_is_no_pass(start: Start, short: Short, signal_: signal.Signals) -> None:
    """In good order or not, its users were missing for a while."""
    run = start(short("{http_error: 503}"), "--processes", "2")
    run.watch(until=lambda: b'"end"' in _bytes_of(run.folder / "actions.jsonl"))

    locusts = {each.pid: each for each in run.descendants if "locust" in each.cmdline()}
    next(each for each in locusts.values() if each.ppid() in locusts).send_signal(signal_)

    assert run.finish() == 3
    assert json.loads((run.folder / "run.json").read_text("utf-8"))["lost_nodes"] == 1
    assert run.left() == ([], [])


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(random.Random(seed).uniform(0.0, 9.0), marks=pytest.mark.nightly if seed else ())
        for seed in range(4)
    ],
    ids="{:.1f}s".format,
)
@pytest.mark.second
def test_ctrl_c_at_any_moment_leaves_nothing(start: Start, short: Short, moment: float) -> None:
    """Ctrl-C while it starts, runs or judges: exit 130 (or the run was over), no process and no port is left."""
    run = start(short("{http_error: 503}, {latency: 300ms}"))
    end = _after(moment)
    run.watch(until=end)

    run.interrupt()

    assert run.finish() in {130, -signal.SIGINT}  # a shell calls both 130; the second: before Python was up
    assert run.left() == ([], [])


@pytest.mark.second
def test_a_cancelled_job_leaves_nothing(start: Start, short: Short) -> None:
    """SIGTERM, as a CI runner sends it when a job is cancelled, is an interruption too."""
    run = start(short("{http_error: 503}"))
    run.watch(until=run.load_has_begun)

    run.interrupt(signal.SIGTERM)

    assert run.finish() == 130
    assert run.left() == ([], [])


@pytest.mark.second
def test_kill_minus_nine_leaves_nothing(start: Start, short: Short) -> None:
    """Even when `mockbot` itself cannot clean up, the children notice that it is gone."""
    run = start(short("{http_error: 503}"))
    run.watch(until=run.load_has_begun)

    run.interrupt(signal.SIGKILL)

    assert run.finish() == -signal.SIGKILL
    assert run.left() == ([], [])


def _after(seconds: float) -> Callable[[], bool]:

    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
