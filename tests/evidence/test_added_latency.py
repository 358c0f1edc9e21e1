"""What the testbed adds to a live run's latencies is told, with a warning where it distorts a p50 that is shown."""

import math
from dataclasses import replace

import pytest

from mockbot.evidence.added_latency import added_text
from mockbot.evidence.judgement import ExpectationResult, Row
from mockbot.evidence.records import RunInfo
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known, Undefined, Value

LIVE = RunInfo("paper", 20.0, t0=0.0, ended="completed", end=400.0, engine="embedded", added_latency=0.022)
TOLD = "added by the testbed: 0.022 s of wall time = 440ms here"


def told(latency: Value, first_token: Value, info: RunInfo = LIVE, **expected: Value) -> str:
    rows = [Row(scope=Scope(), values={"latency_p50": latency, "first_token_p50": first_token})]
    cases = [ExpectationResult(Scope(), name, "", None, seen, "pass", "", "") for name, seen in expected.items()]
    return added_text(info, rows, cases)


def test_wall_time_is_told_in_scenario_time_too() -> None:
    """0.022 s at speed 20 are 0.44 s, which is 4.4 % of 10 s; what is not known or never came is not distorted."""
    assert told(Known(10.0), Undefined("none")) == TOLD
    assert told(Known(math.inf), Known(0.0)) == TOLD


def test_the_p50_that_it_distorts_most_is_named_with_the_speed_that_would_do() -> None:
    """0.44 s are 11 % of 4 s and 44 % of 1 s, and 5 % of it at speed 2.3."""
    only = "; warning: that is 44 % of latency_p50 of whole run; use longer answers or speed 2.3"
    both = only.replace("; use", " and more than 5 % of 1 other p50; use")
    assert told(Known(1.0), Known(10.0)) == TOLD + only
    assert told(Known(1.0), Known(4.0)) == TOLD + both


def test_a_first_token_has_its_own() -> None:
    """0.008 s at speed 20 are 0.16 s: 4 % of 4 s, and 5.3 % of 3 s."""
    split = replace(LIVE, added_first_token=0.008)

    assert told(Known(10.0), Known(4.0), split) == f"{TOLD}, to a first token 0.008 s of wall time = 160ms here"
    assert "; warning: that is 5 % of first_token_p50 of whole run" in told(Known(10.0), Known(3.0), split)


def test_a_p50_that_only_an_expectation_shows_counts_too() -> None:
    """No table has the p50 of the answered prompts or of the failed ones; other percentiles are not looked at."""
    assert "44 % of answered_p50 of whole run" in told(Known(10.0), Known(10.0), answered_p50=Known(1.0))
    assert told(Known(10.0), Known(10.0), latency_p95=Known(1.0)) == TOLD


def test_a_system_cannot_be_slower() -> None:
    assert told(Known(1.0), Known(10.0), replace(LIVE, system="app")).endswith("; use longer answers")


@pytest.mark.parametrize(
    "other", [replace(LIVE, simulated=True), replace(LIVE, client="command"), replace(LIVE, t0=None)]
)
def test_a_run_without_a_live_crowd_says_nothing(other: RunInfo) -> None:
    assert added_text(other, (), ()) == ""


def test_a_run_in_which_it_was_not_measured_says_so() -> None:
    assert added_text(replace(LIVE, added_latency=None), (), ()) == "added by the testbed: not measured"
