"""A system between crowd and providers, live: the careful gateway passes, each planted fault is found by its name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SYSTEM = """\
name: planted
start: python -P -m uvicorn --app-dir {here} gateway:app --host 127.0.0.1 --port {{port}} --log-level warning
env: {{MAIN_URL: "{{main.url}}", OTHER_URL: "{{other.url}}", HABIT: {habit}}}
ready: {{path: /health, within: 60s}}
speaks: openai
model: gpt-4o
"""
HABITS = (
    "launders_truncation", "launders_errors", "retry_multiplication", "ignores_retry_after", "hammers_dead_provider",
    "never_fails_back", "splices_answers", "crosses_answers", "hangs_past_client_timeout", "no_concurrency_left",
    "single_point_of_failure",
)  # fmt: skip


def _run(tmp_path: Path, habit: str) -> dict[str, Any]:
    longer = ["--set", "phase.after.lasts=45s"] if habit == "never_fails_back" else []
    return run_through(tmp_path, habit, HERE / "planted.yaml", *longer)


def system_file(tmp_path: Path, habit: str) -> Path:
    """That of the gateway with this habit."""
    path = tmp_path / "planted.yaml"
    path.write_text(SYSTEM.format(here=HERE, habit=habit), "utf-8")
    return path


def run_through(tmp_path: Path, habit: str, scenario: Path, *options: str) -> dict[str, Any]:
    """The summary of a run through the gateway with this habit, and its exit code; the folder is `run`."""
    command = [
        "run",
        str(scenario),
        "--system",
        str(system_file(tmp_path, habit)),
        "--out",
        str(tmp_path / "run"),
        *options,
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        [sys.executable, "-m", "mockbot", *command],
        capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}, timeout=200,
    )  # fmt: skip
    assert (tmp_path / "run" / "summary.json").exists(), ran.stdout + ran.stderr
    return {"code": ran.returncode, **json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))}


def failed_expectations(summary: dict[str, Any]) -> list[str]:
    """The measures that failed; and then the run did, unless the machine was too busy for it."""
    if all(guard["ok"] for guard in summary["guards"]):
        assert summary["verdict"] == "fail"
    return [each["measure"] for each in summary["expectations"] if each["result"] == "fail"]


def _found(summary: dict[str, Any]) -> dict[str, int]:
    return {each["name"]: each["times"] for each in summary["system"]["findings"] if each["times"]}


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_the_careful_gateway_is_accused_of_nothing(tmp_path: Path) -> None:
    """And every request of the providers is joined by the mark alone, which is all that it passes on."""
    summary = _run(tmp_path, "careful")

    assert _found(summary) == {}
    assert summary["system"]["joined"] == 1.0
    assert [*summary["system"]["ways"]] == ["mark"]
    assert not [
        path for path in (tmp_path / "run").rglob("*") if b"sk-free-" in ((path.is_file() and path.read_bytes()) or b"")
    ]


@pytest.mark.second
@pytest.mark.timeout(240)
def test_a_laundered_answer_fails_the_run_although_no_user_saw_an_error(tmp_path: Path) -> None:
    """The crowd reads 200, finish_reason and [DONE]; only the words are missing."""
    summary = _run(tmp_path, "launders_truncation")

    phases = {row["phase"]: row["kinds"] for row in summary["system"]["phases"]}
    assert "launders_truncation" in failed_expectations(summary)
    assert {*phases["cutoff"]} <= {"whole", "laundered"}
    assert _found(summary)["launders_truncation"] == phases["cutoff"]["laundered"]


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("habit", HABITS)
def test_each_planted_fault_is_found(tmp_path: Path, habit: str) -> None:
    """Other findings may be there, too: who multiplies retries ignores Retry-After."""
    assert habit in _found(_run(tmp_path, habit))
