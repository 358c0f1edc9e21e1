"""Runs that are started in the web UI after the first one, by the requests that Locust's own page sends."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from mockbot.evidence.verdict import judge
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from tests.e2e.conftest import Run

pytestmark = [pytest.mark.live, pytest.mark.nightly]


def _start(run: Run, scenario: str) -> None:
    page = re.search(r"http://127\.0\.0\.1:\d+", run.output())
    assert page, run.output()
    form = {"scenario": scenario, "user_count": "1", "spawn_rate": "1"}
    assert httpx.post(f"{page[0]}/swarm", data=form, timeout=60).json()["success"]


def _wait_for(file: Path) -> None:
    until = time.monotonic() + 90
    while not file.exists():
        assert time.monotonic() < until, f"{file} never came"
        time.sleep(0.1)


def test_every_run_of_the_web_ui_is_judged(start: Callable[..., Run], short: Callable[[str], Path]) -> None:
    """The same outage again on the same testbed, then another one that Ctrl-C ends: each in a folder of its own beside
    the first, with its own verdict and reports.
    """
    run = start(short("{http_error: 503}"), "--ui")
    run.watch(until=lambda: "the page stays open" in run.output())
    _start(run, "short")
    again = run.folder.with_name("out-2")
    _wait_for(again / "exports" / "openmetrics.txt")  # the last report
    first, second = (read_run(RunFolder(folder)) for folder in (run.folder, again))

    assert (first.info.ended, second.info.ended) == ("completed", "completed")
    assert {judge(first).verdict, judge(second).verdict} <= {"pass", "inconclusive"}  # the latter on a busy machine
    assert (again / "report.html").exists()
    assert first.info.t0 is not None
    assert second.info.t0 is not None
    assert second.info.t0 > first.info.t0 + first.info.end / first.info.speed

    _start(run, "traffic-surge")
    other = run.folder.with_name("out-traffic-surge")
    _wait_for(other / "service.jsonl")
    run.watch(until=lambda: (other / "service.jsonl").stat().st_size > 0)
    run.interrupt()
    run.finish()

    assert judge(read_run(RunFolder(other))).verdict == "inconclusive"
    assert (other / "summary.json").exists()
    assert run.left() == ([], [])
