"""Scenario time is written one way and wall time another one, in every output: 5:00 and 4m05s here, "12.3 s" there."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import mockbot
from mockbot.evidence.verdict import JudgedRun, judge_run
from mockbot.load.web_ui.dashboard_state import DashboardState
from mockbot.report.github import annotations, job_summary
from mockbot.report.junit import junit_xml
from mockbot.report.page import report_html
from mockbot.report.terminal import print_summary
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import FELT, actions, evidence, prompt, scenario, steady

WALL = re.compile(r"\d s\b")
PLAIN = re.compile(r"\{[^{}\"]*\} s\b")  # seconds that a module formats by itself
# Limits of the control of service, proxy and system, which all are of the wall.
OF_THE_WALL = {
    "managed_process.py", "control_session.py", "cleanup_watchdog.py", "phase_controller.py", "running_system.py",
    "fault_confirmations.py", "self_watch.py", "formatting.py",
}  # fmt: skip


@pytest.fixture(scope="module")
def judged() -> JudgedRun:
    """At speed 20, with whatever names a moment or a time: findings, pending prompts, late faults, expectations."""
    of = scenario(speed=20, expect=[{"phase": "blackout", "availability": ">= 50%", "latency_p95": "<= 9s"}])
    records = [
        *steady(0, 100),
        *steady(100, 400, took=5.0, settled="gave_up", attempts=4),
        prompt(150.0, 1.0, "unfinished", name="hung"),
    ]
    return judge_run(evidence(records, FELT, of=of, did=actions(begin=101.5), end=350.0))


def _terminal(run: JudgedRun) -> str:
    output = io.StringIO()
    print_summary(Console(file=output, width=500), run.judgement)
    return output.getvalue()


def _page(run: JudgedRun) -> str:
    visible = re.sub(r"(?s)<(script|style).*?</\1>", "", report_html(run))
    return re.sub(r"<[^>]*>", " ", visible)


def _dashboard(run: JudgedRun) -> str:
    state = DashboardState(Timeline(run.evidence.scenario), 20, 0.0)
    for record in steady(0, 100):
        state.take(record)
    return str(state.snapshot(100.0)) + str(state.phase_texts())


OUTPUTS: dict[str, Callable[[JudgedRun], str]] = {
    "terminal": _terminal,
    "page": _page,
    "JUnit": lambda run: junit_xml(run.judgement, "report.html"),
    "job summary": lambda run: job_summary(run.judgement),
    "annotations": lambda run: annotations(run.judgement),
    "Locust's tab": _dashboard,
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_scenario_time_is_never_written_as_wall_time(judged: JudgedRun, output: str) -> None:
    """No number with a blank before its s in a run that names no wall time; and no clock with a leading 0:0."""
    text = OUTPUTS[output](judged)

    assert len(text) > 100
    assert WALL.findall(text) == []
    assert re.findall(r"\b0:\d\d:\d\d", text) == []


def test_no_module_writes_seconds_by_itself() -> None:
    """They come from `format_clock`, `format_duration` and `format_wall`."""
    package = Path(mockbot.__file__).parent
    found = {path.name for path in package.rglob("*.py") if PLAIN.search(path.read_text("utf-8"))}

    assert found <= OF_THE_WALL
