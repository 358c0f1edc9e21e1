"""A crowd asks Gemini, streamed and whole, and falls over to it and from it; simulated in the same way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.second]

SCENARIO = """
name: chain
title: From OpenAI to Gemini and from Gemini to Anthropic
speed: 1
providers:
  main: {answer: &quick {first_token: 20ms, tokens: {median: 8, p95: 8}, pace: 100/s}}
  google: {dialect: gemini, answer: *quick}
  other: {dialect: anthropic, answer: *quick}
crowd:
  to-gemini:
    {users: 34%, uses: main, falls_over_to: google, policy: &retry {name: backoff, base: 100ms, fail_over: retry},
     think: 500ms, patience: 10s}
  whole: {users: 33%, uses: google, policy: *retry, think: 500ms, patience: 10s, stream: false}
  from-gemini: {users: 33%, uses: google, falls_over_to: other, policy: *retry, think: 500ms, patience: 10s}
phases:
  - {name: calm, lasts: 2s, users: 12}
  - name: failing
    lasts: 2s
    faults: [{http_error: 503}, {http_error: 503, on: google, share: 30%}]
  - {name: cut, lasts: 2s, faults: [{cut: clean, on: google, share: 70%}]}
  - {name: after, lasts: 2s}
"""


@pytest.mark.parametrize("command", [("simulate", "--engine", "reference"), ("run",)], ids=lambda command: command[0])
def test_a_crowd_falls_over_to_gemini_and_from_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Answered by the other dialect; a stream without its finish reason is `truncated`."""
    (tmp_path / "chain.yaml").write_text(SCENARIO, "utf-8")
    arguments = [sys.executable, "-m", "mockbot", command[0], "chain.yaml", "--out", "out", *command[1:]]
    ran = subprocess.run(
        arguments, cwd=tmp_path, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    journal = tmp_path / "out" / "journal.jsonl"
    assert journal.exists(), ran.stdout + ran.stderr
    found = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    attempts = [each for each in found if each["kind"] == "attempt"]

    seen = {(each["group"], each["provider"], each["outcome"]) for each in attempts}
    assert {("to-gemini", "main", "http_error"), ("to-gemini", "google", "ok"), ("whole", "google", "ok")} <= seen
    assert ("from-gemini", "other", "ok") in seen
    assert {outcome for _, provider, outcome in seen if provider == "google"} >= {"ok", "http_error", "truncated"}
    assert all(each["first_token"] for each in attempts if each["group"] != "whole" and each["outcome"] == "ok")
