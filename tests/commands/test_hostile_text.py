"""A scenario's text in every command that prints it: no traceback, escape sequence, workflow command or script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE = r"[/v1/chat] \e[2J <script>alert(1)</script> \n::error::pwned"
SCENARIO = f"""
name: hostile
title: "{HOSTILE}"
teaches: "{HOSTILE}"
retells: {{incident: "{HOSTILE}", source: "javascript:alert(1)", assumed: ["{HOSTILE}"]}}
speed: 20
providers: {{main: {{slots: 40}}}}
crowd: {{people: {{users: 100%, policy: backoff}}}}
phases:
  - {{name: calm, lasts: 60s, users: 20}}
  - {{name: bad, lasts: 60s, faults: [{{http_error: {{status: 503, code: "{HOSTILE}"}}}}]}}
  - {{name: after, lasts: 60s}}
status_page:
  - {{at: bad, state: investigating, impact: major, says: "{HOSTILE}"}}
expect:
  - {{phase: bad, answered: ">= 99%"}}
"""
COMMANDS = (["check", "x.yaml"], ["show", "x.yaml"], ["simulate", "x.yaml", "--engine", "reference", "--out", "run"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_text_breaks_a_command_or_speaks_for_it(tmp_path: Path, command: list[str]) -> None:
    """On a terminal, in a job's log and on the page."""
    (tmp_path / "x.yaml").write_text(SCENARIO, "utf-8")
    job = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    called = [sys.executable, "-m", "mockbot", *command]
    done = subprocess.run(called, cwd=tmp_path, env=job, capture_output=True, text=True, timeout=60, check=False)
    out = done.stdout + done.stderr

    assert done.returncode in {0, 1, 3}, out
    assert "Traceback" not in out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.strip().startswith("::error::")]
    page = tmp_path / "run" / "report.html"
    assert not page.exists() or "<script>alert" not in page.read_text("utf-8")
