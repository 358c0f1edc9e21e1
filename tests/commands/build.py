"""Short outages, and programs that meet them."""

import subprocess
import sys
from pathlib import Path

SHORT = """
name: short
title: Three seconds of 503
providers:
  main: {answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
  other: {dialect: anthropic, answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
crowd:
  all: {users: 100%, policy: once}
phases:
  - {name: calm, lasts: 1s, users: 1}
  - {name: blackout, lasts: 3s, faults: [{http_error: {status: 503, retry_after: 1s}}]}
  - {name: after, lasts: 2s}
expect:
  - {phase: calm, availability: ">= 99%"}
  - {group: all, availability: ">= 50%"}
"""


def scenario_file(folder: Path, text: str = SHORT) -> Path:
    """The scenario on disk."""
    path = folder / "short.yaml"
    path.write_text(text, "utf-8")
    return path


def mockbot(*arguments: str | Path) -> list[str]:
    """The command line of `mockbot`."""
    return [sys.executable, "-m", "mockbot", *map(str, arguments)]


def run(*arguments: str | Path, timeout: float = 90) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run(mockbot(*arguments), capture_output=True, text=True, check=False, timeout=timeout)
