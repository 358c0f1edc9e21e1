"""What other tools read of a run, read by those tools' own readers."""

import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rich.console import Console

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.report.github import annotations, job_summary, report_to_github
from mockbot.report.openmetrics import openmetrics_text
from tests.evidence.build import FAULT, FELT, attempt, evidence, scenario, sound_run, steady

LOST = [*steady(0, 100), *steady(100, 400, took=5.0, settled="gave_up", attempts=4)]
EXPECT = scenario(
    expect=[
        {"phase": "steady", "availability": ">= 99%"},
        {"phase": "after", "availability": ">= 99%"},
        {"group": "hasty", "goodput": "> 0/s"},
    ]
)


def told(**how: Any) -> Judgement:
    run = evidence(how.pop("requests", LOST), how.pop("seconds", FELT), of=how.pop("of", EXPECT), **how)
    return judge(run)


def samples(summary: Judgement) -> dict[tuple[str, str, str], float]:
    """(name, phase, group) -> value, as prometheus_client's parser reads it."""
    families = text_string_to_metric_families(openmetrics_text(summary))  # type: ignore[no-untyped-call]
    return {
        (sample.name, sample.labels.get("phase", ""), sample.labels.get("group", "")): sample.value
        for family in families
        for sample in family.samples
        if sample.name != "mockbot_verdict" and not sample.labels["tier"] + sample.labels["provider"]
    }


def test_openmetrics_has_every_measure_with_its_scope_and_unit() -> None:
    """Shares as ratios, durations in seconds, what never came as infinity."""
    found = samples(told())

    assert found["mockbot_availability_ratio", "steady", ""] == 1.0
    assert found["mockbot_availability_ratio", "after", "patient"] == 0.0
    assert found["mockbot_latency_p95_seconds", "", ""] == math.inf
    assert found["mockbot_prompts", "", ""] == 800


def test_openmetrics_gives_no_lower_bound_for_a_value() -> None:
    """A run that did not recover has no recovery time, but one that it is longer than."""
    found = samples(told())

    assert found["mockbot_recovery_time_at_least_seconds", "", ""] == 191.0
    assert ("mockbot_recovery_time_seconds", "", "") not in found


@pytest.mark.parametrize("verdict", ["pass", "fail", "inconclusive"])
def test_openmetrics_tells_the_verdict(verdict: str) -> None:
    """One of the three is 1."""
    how: dict[str, dict[str, Any]] = {
        "pass": {"requests": sound_run(), "of": scenario()},
        "fail": {},
        "inconclusive": {"seconds": ()},
    }
    lines = openmetrics_text(told(**how[verdict])).splitlines()

    assert [line for line in lines if line.startswith("mockbot_verdict{") and line.endswith(" 1.0")] == [
        f'mockbot_verdict{{scenario="paper",verdict="{verdict}"}} 1.0'
    ]


def test_the_job_summary_tells_verdict_reasons_and_tables() -> None:
    """A page of Markdown."""
    text = job_summary(told())

    lines = text.splitlines()
    assert lines[0] == "## ❌ Worked out on paper: fail"
    assert lines[2] == "Exit code 1: an expectation failed."
    assert "- availability of phase after: expected \\>= 99%, saw 0%" in lines
    assert "| steady | all | 200 | 100% | 100% | 1.00 | 998ms | 998ms |" in lines
    assert any(line.startswith("| ❔ | goodput \\> 0/s | group hasty | - | only 0 prompts") for line in lines)


def test_what_the_testbed_adds_is_told_once() -> None:
    """With the p50 that it distorts: 80 ms are 8 % of the answers of one second."""
    text = job_summary(told(added_latency=0.08))

    added = [line for line in text.splitlines() if "added by the testbed" in line]
    assert len(added) == 1
    assert added[0].startswith("added by the testbed: 0.08 s of wall time = 80ms here; warning: that is 8 % of latency")


def test_findings_are_in_the_job_summary() -> None:
    """With their first evidence and the remedy."""
    storm = [attempt(float(n), 0.1, "http_error", of=f"p{n}", status=400) for n in range(100, 200) for _ in "ab"]

    text = job_summary(told(requests=[*storm, *steady(100, 200, each=1.0)]))

    assert "**patient** repeated requests that can only fail, 100 times (p100 at 1:40.0: 400 was answered" in text


def test_annotations_are_errors_for_failures_and_warnings_for_doubts() -> None:
    """One for each expectation that did not hold and each broken guard."""
    lines = annotations(told(seconds=())).splitlines()

    assert lines[0] == (
        "::error title=availability of phase after::expected >= 99%25, saw 0%25; look at journal.jsonl: "
        "p200 (asked at 3:20.0), p200.5 (asked at 3:20.5), p201 (asked at 3:21.0)"
    )
    assert [line.split("::")[1] for line in lines[1:]] == [
        "warning title=goodput of group hasty",
        f"warning title=felt {FAULT}",
    ]


def test_nothing_from_a_run_is_a_workflow_command_or_markup() -> None:
    """A reason with line breaks, a pipe and a tag."""
    evil = "died\n::set-output name=x::y\n| <img src=x> `x` [a](b)"
    summary = told(ended="failed", why=evil, of=scenario(title=evil))

    assert [line for line in annotations(summary).splitlines() if not line.startswith(("::error", "::warning"))] == []
    page = job_summary(summary)
    assert "<img" not in page.replace("\\<img", "")
    assert [line for line in page.splitlines() if line.startswith(("::", "| <"))] == []


IN_A_JOB = {"GITHUB_ACTIONS": "true"}


def test_a_job_of_github_gets_its_page_appended_and_its_annotations_printed(tmp_path: Path) -> None:
    """Beside what an earlier step wrote there; an annotation is one line of the log, however narrow the console is."""
    page = tmp_path / "summary.md"
    page.write_text("what was there\n", "utf-8")
    console = Console(file=StringIO(), width=40)

    report_to_github(told(), {**IN_A_JOB, "GITHUB_STEP_SUMMARY": str(page)}, console)

    assert page.read_text("utf-8") == f"what was there\n{job_summary(told())}\n"
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == annotations(told())


def test_elsewhere_github_is_told_nothing(tmp_path: Path) -> None:
    """No variable, no file, no line."""
    console = Console(file=StringIO())

    report_to_github(told(), {"GITHUB_ACTIONS": "false", "GITHUB_STEP_SUMMARY": ""}, console)

    assert isinstance(console.file, StringIO)
    assert (console.file.getvalue(), list(tmp_path.iterdir())) == ("", [])
