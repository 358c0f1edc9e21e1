"""What the testbed adds to a live run's latencies is told, with a warning where it distorts a p50 that is shown."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from mockbot.evidence.added_latency import added_text
from mockbot.evidence.records import RunInfo
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known, Undefined, Value

LIVE = RunInfo("paper", 20.0, t0=0.0, ended="completed", end=400.0, engine="embedded", added_latency=0.022)
TOLD = "added by the testbed: 22ms of wall time = 440ms here"


def told(**p50: Value) -> str:
    rows: list[tuple[Scope, Mapping[str, Value]]] = [(Scope(), p50)]
    return added_text(LIVE, rows)


def test_wall_time_is_told_in_scenario_time_too() -> None:
    """0.022 s at speed 20 are 0.44 s, which is 4.4 % of 10 s; what is not known or never came is not distorted."""
    assert told(latency_p50=Known(10.0), first_token_p50=Undefined("none")) == TOLD
    assert told(latency_p50=Known(math.inf), first_token_p50=Known(0.0)) == TOLD


def test_each_p50_that_it_distorts_is_named_the_worst_first() -> None:
    """0.44 s are 11 % of 4 s and 44 % of 1 s."""
    warning = (
        "; WARNING: that is more than 5 % of first_token_p50 of whole run (44 %), latency_p50 of whole run (11 %); "
        "use a lower speed"
    )
    assert told(latency_p50=Known(4.0), first_token_p50=Known(1.0)) == TOLD + warning


def test_measures_that_are_no_p50_are_not_named() -> None:
    assert told(latency_p95=Known(1.0)) == TOLD


@pytest.mark.parametrize("how", [{"simulated": True}, {"client": "command"}, {"t0": None}])
def test_a_run_without_a_live_crowd_says_nothing(how: Mapping[str, object]) -> None:
    assert added_text(replace(LIVE, **how), ()) == ""  # type: ignore[arg-type]


def test_a_run_in_which_it_was_not_measured_says_so() -> None:
    assert added_text(replace(LIVE, added_latency=None), ()) == "added by the testbed: not measured"
