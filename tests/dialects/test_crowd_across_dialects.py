"""A crowd asks Azure and providers that speak OpenAI's API, and falls over from one dialect to another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.second]

SCENARIO = """
name: chain
title: From Azure to xAI, and from OpenRouter to Anthropic
speed: 1
providers:
  azure: {dialect: azure, answer: &quick {first_token: 20ms, tokens: {median: 8, p95: 8}, pace: 100/s}}
  grok: {dialect: xai, answer: *quick}
  router: {dialect: openrouter, answer: *quick}
  other: {dialect: anthropic, answer: *quick}
crowd:
  to-xai:
    {users: 34%, uses: azure, falls_over_to: grok, policy: &retry {name: backoff, base: 100ms, fail_over: retry},
     think: 500ms, patience: 10s}
  whole: {users: 33%, uses: azure, policy: *retry, think: 500ms, patience: 10s, stream: false}
  from-router:
    {users: 33%, uses: router, falls_over_to: other, policy: *retry, think: 500ms, patience: 10s, stream: false}
phases:
  - {name: calm, lasts: 2s, users: 6}
  - name: failing
    lasts: 2s
    faults: [{http_error: 503, on: azure}, {error_event: server_error, on: router, share: 50%}]
  - {name: cut, lasts: 2s, faults: [{cut: clean, on: azure, share: 50%}]}
  - {name: after, lasts: 2s}
"""


def test_a_crowd_falls_over_from_dialect_to_dialect(tmp_path: Path) -> None:
    """Streamed and whole: each reads its provider's answers, and a 200 with an error is one."""
    (tmp_path / "chain.yaml").write_text(SCENARIO, "utf-8")
    command = [sys.executable, "-m", "mockbot", "run", "chain.yaml", "--out", "out"]
    environment = {**os.environ, "NO_COLOR": "1"}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    journal = tmp_path / "out" / "journal.jsonl"
    assert journal.exists(), ran.stdout + ran.stderr
    found = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]

    seen = {(each["group"], each["provider"], each["outcome"]) for each in found if each["kind"] == "attempt"}
    assert {("to-xai", "azure", "http_error"), ("to-xai", "grok", "ok"), ("whole", "azure", "ok")} <= seen
    assert {
        ("from-router", "router", "ok"),
        ("from-router", "router", "error_event"),
        ("from-router", "other", "ok"),
    } <= seen
    assert {outcome for _, provider, outcome in seen if provider == "azure"} >= {"ok", "http_error", "truncated"}
