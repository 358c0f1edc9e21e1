"""A new scenario is one file, and a user's own policy one entry point: both are used simulated and live."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.second]

SCENARIO = """
name: toy
title: A toy outage for a toy policy
speed: 5
providers: {main: {slots: 60, answer: {first_token: 1s, tokens: {median: 5, p95: 5}, pace: 10/s}}}
crowd: {stubborn: {users: 100%, policy: stubborn, think: 5s, patience: 60s}}
phases:
  - {name: calm, lasts: 60s, users: 30}
  - {name: out, lasts: 30s, faults: [{http_error: 503}]}
  - {name: after, lasts: 60s}
expect:
  - {phase: calm, availability: ">= 95%"}
  - {phase: out, attempts_per_prompt: ">= 4"}
"""
POLICY = '''
class Stubborn:
    """Asks again a second after every failure."""

    def __call__(self, failures, seen, rng):
        return 1.0
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a distribution `ourbots` on the path, as pip would have left it, and its policy `stubborn`."""
    info = tmp_path / "ourbots-1.0.dist-info"
    info.mkdir()
    (tmp_path / "ourbots.py").write_text(POLICY, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ourbots\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[mockbot.policies]\nstubborn = ourbots:Stubborn\n", "utf-8")
    return os.environ | {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("command", ["simulate", pytest.param("run", marks=pytest.mark.nightly)])
def test_a_scenario_with_a_policy_of_ones_own_plays(command: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """`mockbot check` accepts it; simulated and live the policy decides, and the verdict is pass."""
    (tmp_path / "toy.yaml").write_text(SCENARIO, "utf-8")

    for arguments in (["check", "toy.yaml"], [command, "toy.yaml", "--out", "run"]):
        done = subprocess.run(
            [sys.executable, "-m", "mockbot", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert [case["result"] for case in summary["expectations"]] == ["pass", "pass"]
