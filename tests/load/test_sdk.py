"""The official SDKs under load: the same outcomes for the same faults, their own retries, their own clock."""

import json
from pathlib import Path
from typing import Any

import pytest

from mockbot.errors import ExitCode
from tests.load.conftest import Inside
from tests.load.fault_server import FaultServer
from tests.load.runs import ROOT, rehearse
from tests.load.test_traps import OUTCOMES

pytestmark = [pytest.mark.live, pytest.mark.second]

SDK = ROOT / "loadtests" / "sdk.py"
ROWS = [fault for fault in OUTCOMES if fault != "healthy:again"]
BOTH = """
name: both
title: Two SDKs beside the fast crowd
speed: SPEED
providers:
  main: {slots: 40, answer: {first_token: 100ms, tokens: {median: 10, p95: 20}, pace: 40/s}}
  claude: {dialect: anthropic, slots: 40, answer: {first_token: 100ms, tokens: {median: 10, p95: 20}, pace: 40/s}}
crowd:
  fast: {users: 60%, policy: sdk, think: 1s, patience: 20s}
  openai-sdk: {users: 20%, policy: sdk, think: 1s, patience: 20s}
  anthropic-sdk: {users: 20%, policy: sdk, think: 1s, patience: 20s, uses: claude}
phases:
  - {name: steady, lasts: 5s, users: 10}
  - {name: failing, lasts: 4s, faults: [{http_error: 503, share: 90%}, {on: claude, http_error: 503, share: 90%}]}
"""


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def rows(request: pytest.FixtureRequest, inside: Inside, faults: FaultServer) -> dict[str, list[dict[str, Any]]]:
    """What each SDK left of each fault: attempts, then the prompt."""
    found: dict[str, list[dict[str, Any]]] = inside("sdk_attempts", request.param, faults.url, json.dumps(ROWS))
    return found


@pytest.mark.parametrize("fault", ROWS)
def test_a_fault_has_the_outcome_that_the_fast_client_sees(rows: dict[str, list[dict[str, Any]]], fault: str) -> None:
    """Also where the SDK itself sees nothing: it takes a stream that simply stops for an answer."""
    assert rows[fault][0]["outcome"] == OUTCOMES[fault]


def test_only_a_whole_answer_answers_the_prompt(rows: dict[str, list[dict[str, Any]]]) -> None:
    """What the SDK returns without an exception is no answer when the stream was cut."""
    settled = {fault: records[-1]["settled"] for fault, records in rows.items()}

    assert {fault for fault, how in settled.items() if how == "answered"} == {
        fault for fault in ROWS if OUTCOMES[fault] == "ok"
    }


def test_the_sdks_own_retries_are_attempts(rows: dict[str, list[dict[str, Any]]]) -> None:
    """A connection that is closed before the headers is tried three times; after a first token nothing is."""
    assert [record["n"] for record in rows["close_before_headers"][:-1]] == [0, 1, 2]
    assert [record["n"] for record in rows["reset_mid_stream"][:-1]] == [0]


@pytest.mark.nightly
def test_both_sdks_run_beside_the_fast_client(tmp_path: Path) -> None:
    """Each group asks its provider in its dialect, is answered in the quiet, and tries again in the storm."""
    ran = rehearse(tmp_path, BOTH.replace("SPEED", "1"), locustfile=SDK)
    quiet = [prompt for prompt in ran.prompts if prompt.intended < 4]
    storm = [attempt for attempt in ran.attempts if attempt.start > 5]

    assert {prompt.group for prompt in quiet} == {"fast", "openai-sdk", "anthropic-sdk"}, ran.output
    assert {(prompt.group, prompt.provider) for prompt in quiet if prompt.settled == "answered"} == {
        ("fast", "main"),
        ("openai-sdk", "main"),
        ("anthropic-sdk", "claude"),
    }
    assert {attempt.group for attempt in storm if attempt.n > 0} == {"fast", "openai-sdk", "anthropic-sdk"}


def test_a_real_sdk_is_refused_at_any_speed_but_one(tmp_path: Path) -> None:
    """It waits by its own clock; the sentence says who and what to do."""
    ran = rehearse(tmp_path, BOTH.replace("SPEED", "10"), locustfile=SDK)

    assert ran.code == ExitCode.USAGE
    assert "anthropic-sdk, openai-sdk: a real SDK keeps its own clock" in ran.output
