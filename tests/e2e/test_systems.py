"""A system between crowd and providers, live: the careful gateway passes, each planted fault is found by its name."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SYSTEM = """\
name: planted
start: "{{python}} -P -m uvicorn --app-dir {here} gateway:app --host 127.0.0.1 --port {{port}} --log-level warning"
env: {{MAIN_URL: "{{main.url}}", OTHER_URL: "{{other.url}}", HABIT: {habit}}}
ready: {{path: /health, within: 60s}}
speaks: openai
model: gpt-4o
"""
# What each planted fault needs to show: the lengths of phases, the others last a second.
NEEDS: dict[str, dict[str, str]] = {
    "launders_truncation": {"cutoff": "5s"},
    "launders_errors": {"hopeless": "3s"},
    "retry_multiplication": {"blackout": "3s"},
    "ignores_retry_after": {"blackout": "3s"},
    "hammers_dead_provider": {"blackout": "14s"},
    "never_fails_back": {"blackout": "3s", "after": "40s"},
    "splices_answers": {"cutoff": "5s"},
    "crosses_answers": {},
    "hangs_past_client_timeout": {"silence": "10s"},
    "no_concurrency_left": {"silence": "10s"},
    "single_point_of_failure": {"blackout": "3s"},
}
BRIEF = dict.fromkeys(("hopeless", "blackout", "cutoff", "silence", "after"), "1s")
SEEDS = range(20)
AT_A_TIME = 4  # a run waits more than it computes


def system_file(tmp_path: Path, habit: str) -> Path:
    """That of the gateway with this habit."""
    path = tmp_path / "planted.yaml"
    path.write_text(SYSTEM.format(here=HERE, habit=habit), "utf-8")
    return path


def run_through(tmp_path: Path, habit: str, scenario: Path, *options: str) -> dict[str, Any]:
    """The summary of a run through the gateway with this habit, and its exit code; the folder is `run`."""
    return judged(scenario, tmp_path / "run", "--system", str(system_file(tmp_path, habit)), *options)


def judged(scenario: Path, out: Path, *options: str) -> dict[str, Any]:
    """The summary of a run, and its exit code."""
    command = [sys.executable, "-m", "mockbot", "run", str(scenario), "--out", str(out), *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert (out / "summary.json").exists(), ran.stdout + ran.stderr
    return {"code": ran.returncode, **json.loads((out / "summary.json").read_text("utf-8"))}


def failed_expectations(summary: dict[str, Any]) -> list[str]:
    """The measures that failed; and then the run did, unless the machine was too busy for it."""
    if all(guard["ok"] for guard in summary["guards"]):
        assert summary["verdict"] == "fail"
    return [each["measure"] for each in summary["expectations"] if each["result"] == "fail"]


def _found(summary: dict[str, Any]) -> dict[str, int]:
    return {each["name"]: each["times"] for each in summary["system"]["findings"] if each["times"]}


@pytest.mark.second
@pytest.mark.timeout(240)
def test_a_laundered_answer_fails_the_run_although_no_user_saw_an_error(tmp_path: Path) -> None:
    """The crowd reads 200, finish_reason and [DONE]; only the words are missing."""
    summary = run_through(tmp_path, "launders_truncation", HERE / "planted.yaml")

    phases = {row["phase"]: row["kinds"] for row in summary["system"]["phases"]}
    assert "launders_truncation" in failed_expectations(summary)
    assert {*phases["cutoff"]} <= {"whole", "laundered"}
    assert _found(summary)["launders_truncation"] == phases["cutoff"]["laundered"]


def _campaign(tmp_path: Path, habit: str, lengths: dict[str, str]) -> list[dict[str, Any]]:
    """A run for each seed."""
    phases = [word for name, lasts in lengths.items() for word in ("--set", f"phase.{name}.lasts={lasts}")]

    def run(seed: int) -> dict[str, Any]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        return run_through(folder, habit, HERE / "planted.yaml", "--set", f"seed={seed}", *phases)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(run, SEEDS))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_the_careful_gateway_is_never_accused(tmp_path: Path) -> None:
    """In 20 of 20 runs; every request of the providers is joined by the mark alone, which is all that it passes on."""
    runs = _campaign(tmp_path, "careful", {})

    assert [_found(run) for run in runs] == [{}] * len(SEEDS)
    assert [(run["system"]["joined"], [*run["system"]["ways"]]) for run in runs] == [(1.0, ["mark"])] * len(SEEDS)
    assert not [path for path in tmp_path.rglob("*") if b"sk-free-" in ((path.is_file() and path.read_bytes()) or b"")]


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("habit", NEEDS)
def test_each_planted_fault_is_found_every_time(tmp_path: Path, habit: str) -> None:
    """In 20 of 20 runs. Other findings may be there, too: who multiplies retries ignores Retry-After."""
    runs = _campaign(tmp_path, habit, BRIEF | NEEDS[habit])

    assert [seed for seed, run in zip(SEEDS, runs, strict=True) if habit not in _found(run)] == []
