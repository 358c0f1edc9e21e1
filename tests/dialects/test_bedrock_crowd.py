"""A crowd asks Bedrock, falls over to it from another dialect, and reads its event streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.second]

SCENARIO = """
name: chain
title: From OpenAI to Bedrock and from Bedrock to Anthropic
speed: 1
providers:
  main: {answer: &quick {first_token: 20ms, tokens: {median: 8, p95: 8}, pace: 100/s}}
  aws: {dialect: bedrock, answer: *quick}
  other: {dialect: anthropic, answer: *quick}
crowd:
  to-bedrock:
    {users: 34%, uses: main, falls_over_to: aws, policy: &retry {name: backoff, base: 100ms, fail_over: retry},
     think: 500ms, patience: 10s}
  whole: {users: 33%, uses: aws, policy: *retry, think: 500ms, patience: 10s, stream: false}
  from-bedrock: {users: 33%, uses: aws, falls_over_to: other, policy: *retry, think: 500ms, patience: 10s}
phases:
  - {name: calm, lasts: 2s, users: 6}
  - name: failing
    lasts: 2s
    faults: [{http_error: 503}, {http_error: 503, on: aws, share: 30%}]
  - {name: cut, lasts: 2s, faults: [{cut: clean, on: aws, share: 50%}]}
  - {name: after, lasts: 2s}
"""


def test_a_crowd_falls_over_to_bedrock_and_from_it(tmp_path: Path) -> None:
    """Streamed and whole: answered by Bedrock, and a cut is `truncated`."""
    (tmp_path / "chain.yaml").write_text(SCENARIO, "utf-8")
    command = [sys.executable, "-m", "mockbot", "run", "chain.yaml", "--out", "out"]
    environment = {**os.environ, "NO_COLOR": "1"}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    journal = tmp_path / "out" / "journal.jsonl"
    assert journal.exists(), ran.stdout + ran.stderr
    found = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    attempts = [each for each in found if each["kind"] == "attempt"]

    seen = {(each["group"], each["provider"], each["outcome"]) for each in attempts}
    assert {("to-bedrock", "main", "http_error"), ("to-bedrock", "aws", "ok"), ("whole", "aws", "ok")} <= seen
    assert ("from-bedrock", "other", "ok") in seen
    assert {outcome for _, provider, outcome in seen if provider == "aws"} >= {"ok", "http_error", "truncated"}
    streamed = [each for each in attempts if each["group"] != "whole" and each["outcome"] == "ok"]
    assert all(each["first_token"] < each["end"] - each["start"] for each in streamed if each["provider"] == "aws")
