"""LiteLLM's proxy, as its documentation configures it, between crowd and providers: what no user of it sees.

`.ci/nightly` installs it into `.litellm`. Counts and shares are asserted; times only against the run's own records.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_systems import failed_expectations

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".litellm" / "bin"
OUTAGE = """\
name: gateway
title: A gateway between the crowd and two providers
providers:
  main: &quick {slots: 20, queue: {limit: 40}, answer: {first_token: 200ms, tokens: {median: 20, p95: 40}, pace: 100/s}}
  other: *quick
crowd:
  people: {users: 100%, policy: backoff, think: 500ms}
phases:
  - {name: steady, lasts: 15s, users: 10}
  - {name: outage, lasts: 20s, faults: [FAULT]}
  - {name: after, lasts: 20s}
expect:
  - {answered: ">= 99%"}
"""

ABROAD = """\
name: abroad
title: A gateway falls over to providers that speak other languages
providers:
  openai:
    slots: 20
    queue: {limit: 40}
    answer: &quick {first_token: 200ms, tokens: {median: 20, p95: 40}, pace: 100/s}
  gemini: {dialect: gemini, slots: 20, queue: {limit: 40}, answer: *quick}
  bedrock: {dialect: bedrock, slots: 20, queue: {limit: 40}, answer: *quick}
crowd:
  people: {users: 100%, policy: backoff, think: 500ms}
phases:
  - {name: steady, lasts: 15s, users: 10}
  - {name: one, lasts: 15s, faults: [{on: openai, http_error: 503}]}
  - {name: two, lasts: 15s, faults: [{on: openai, http_error: 503}, {on: gemini, http_error: 503}]}
  - {name: after, lasts: 20s}
expect:
  - {answered: ">= 99%"}
"""

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (BIN / "litellm").exists(), reason="LiteLLM is not installed in .litellm (.ci/nightly)"),
]


def _run(
    tmp_path: Path, outage: str, system: str = "litellm-proxy"
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The summary, the requests in order of start, and the prompts in order of start."""
    scenario, out = tmp_path / "gateway.yaml", tmp_path / "run"
    scenario.write_text(outage, "utf-8")
    command = [sys.executable, "-m", "mockbot", "run", str(scenario), "--system", system, "--out", str(out)]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:{BIN}"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=environment)
    assert (out / "summary.json").exists(), ran.stdout + ran.stderr
    lines = {name: (out / name).read_text("utf-8").splitlines() for name in ("requests.jsonl", "journal.jsonl")}
    requests, journal = ([json.loads(line) for line in each] for each in lines.values())
    prompts = [line for line in journal if line["kind"] == "prompt"]
    assert b"0123456789abcdef" not in b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    return (
        json.loads((out / "summary.json").read_text("utf-8")),
        sorted(requests, key=lambda each: float(each["start"])),
        sorted(prompts, key=lambda each: float(each["start"])),
    )


def _times(summary: dict[str, Any]) -> dict[str, int]:
    return {each["name"]: each["times"] for each in summary["system"]["findings"]}


def test_it_presents_truncated_streams_as_complete(tmp_path: Path) -> None:
    """The provider ends its streams after three words; every user is told `finish_reason: stop` and [DONE]."""
    summary, requests, _ = _run(tmp_path, OUTAGE.replace("FAULT", "{cut: {how: clean, after_tokens: 3}}"))

    cut = sum(request["outcome"] == "truncated" for request in requests)
    assert "launders_truncation" in failed_expectations(summary)
    assert summary["measures"][0]["values"]["answered"] >= 0.99
    assert cut >= 20
    assert _times(summary)["launders_truncation"] >= 0.9 * cut


def test_its_fail_over_costs_requests_and_seconds(tmp_path: Path) -> None:
    """Every prompt is answered, after three tries or so at the dead provider; the times agree with the logs."""
    summary, requests, prompts = _run(tmp_path, OUTAGE.replace("FAULT", "{http_error: 503}"))

    row = next(each["values"] for each in summary["measures"] if each["scope"]["phase"] == "outage")
    whole = summary["measures"][0]["values"]
    assert (whole["answered"], row["saved"]) == (1.0, 1.0)
    assert 2.5 <= row["upstream_per_prompt"] <= 4.5
    [outage] = summary["faults"]
    begin, end = outage["measured"]
    # By hand: who answered each prompt is the provider of its last request, because that one was answered.
    marks = {json.loads(line)["mark"]: json.loads(line)["prompt"] for line in _lines(tmp_path, "answers.jsonl")}
    last = {marks[request["mark"]]: request["provider"] for request in requests if request["outcome"] == "ok"}
    other = [each for each in prompts if last[each["id"]] == "other"]
    after = [each for each in prompts if each["start"] >= end]
    assert whole["fail_over_time"] == pytest.approx(min(each["end"] for each in other) - begin, abs=0.1)
    back = min(each["end"] for each in after if last[each["id"]] == "main")
    assert whole["first_return"] == pytest.approx(back - end, abs=0.1)
    late = [each["start"] - end for each in after if last[each["id"]] == "other"]
    assert whole["last_detour"] == pytest.approx(max(late, default=0.0), abs=0.1)


def test_it_falls_over_from_openai_to_gemini_and_then_to_bedrock(tmp_path: Path) -> None:
    """Each provider answers while those before it are down, in its own language, and every user is answered."""
    summary, requests, _ = _run(tmp_path, ABROAD, "litellm-fallbacks")

    phases = {each["scope"]["phase"]: each["values"] for each in summary["measures"] if each["scope"]["phase"]}
    ends = {fault["id"]: fault["measured"] for fault in summary["faults"]}
    answered = {
        name: {
            each["provider"] for each in requests if each["outcome"] == "ok" and begin + 5 < each["start"] < begin + 14
        }
        for name, begin in (("one", ends["one.0.http_error"][0]), ("two", ends["two.0.http_error"][0]))
    }
    assert answered == {"one": {"gemini"}, "two": {"bedrock"}}
    assert [phases[name]["answered"] for name in ("one", "two")] == [1.0, 1.0]


def _lines(tmp_path: Path, name: str) -> list[str]:
    return (tmp_path / "run" / name).read_text("utf-8").splitlines()
