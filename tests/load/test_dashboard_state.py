"""What the web UI shows of the records it was given; pure."""

from dataclasses import replace

import pytest

from mockbot.evidence.records import Attempt, Progress, Prompt, ServiceSecond
from mockbot.load.web_ui.dashboard_state import DashboardState
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline

OUTAGE = """
name: outage
title: An outage
slo: 10s
providers: {main: {}}
crowd: {users: {users: 100%, policy: once}}
phases:
  - {name: steady, lasts: 100s, users: 10}
  - {name: blackout, lasts: 100s, faults: [{http_error: 503, share: 50%}]}
"""


@pytest.fixture
def state() -> DashboardState:
    """A run of OUTAGE at speed 10, of which nothing is known yet."""
    return DashboardState(Timeline(read_scenario(OUTAGE)), 10.0, 1000.0)


def _attempt(start: float, outcome: str = "ok", first_token: float | None = 0.5) -> Attempt:
    return Attempt("p", 0, "users", "main", start, start + 1, outcome, first_token=first_token)  # type: ignore[arg-type]


def _prompt(intended: float, took: float, settled: str = "answered") -> Prompt:
    return Prompt("p", "u", "users", "free", intended, intended, intended + took, settled, 1)  # type: ignore[arg-type]


def test_records_count_where_they_began(state: DashboardState) -> None:
    """An attempt that began in `steady` and failed in `blackout` is one of steady's."""
    state.take(_attempt(99.5, "timeout", None))
    state.take(_prompt(99.0, 60.0, "gave_up"))
    steady, blackout = state.phase_rows()

    assert (steady["outcomes"], steady["prompts"], steady["good"]) == ({"timeout": 1}, 1, 0.0)
    assert (blackout["outcomes"], blackout["prompts"], blackout["good"]) == ({}, 0, None)


def test_good_is_answered_in_time(state: DashboardState) -> None:
    """Within the scenario's slo of the moment at which it should have been asked."""
    for took in (1.0, 9.9, 10.1):
        state.take(_prompt(5.0, took))

    assert state.phase_rows()[0]["good"] == pytest.approx(2 / 3)


def test_phases_are_numbered_in_their_order(state: DashboardState) -> None:
    """Locust's table sorts by the first column."""
    assert [row["phase"] for row in state.phase_rows()] == ["1. steady", "2. blackout"]
    assert [row["wrong"] for row in state.phase_rows()] == ["no fault", "http_error on main"]


def test_a_run_through_a_system_shows_both_sides_of_each_phase() -> None:
    """In the words of the report; nothing yet of a phase to come, and no such columns without a system."""
    saw = {"steady": ("57 prompts, 100 % in full", "1.00 requests a prompt: main 57")}
    with_system = DashboardState(Timeline(read_scenario(OUTAGE)), 1.0, 1000.0, lambda: saw)

    steady, blackout = with_system.phase_texts()
    assert (steady["users_saw"], steady["providers_saw"]) == saw["steady"]
    assert (blackout["users_saw"], blackout["providers_saw"]) == ("", "")
    assert [title for _, title in with_system.snapshot(1.0)["columns"]][-2:] == ["Users saw", "Providers saw"]


def test_the_banner_says_what_is_wrong_now(state: DashboardState) -> None:
    """Nothing in steady, the fault with its share in the blackout, and nothing any more when the verdict is there."""
    assert state.head(50.0)["wrong"] == []
    assert state.head(150.0)["wrong"] == ["http_error on main, 50%"]

    state.verdict = {"verdict": "pass", "reasons": [], "expectations": []}
    assert (state.head(150.0)["wrong"], state.head(150.0)["state"]) == ([], "over")


def test_a_snapshot_has_the_records_since_the_last_one(state: DashboardState) -> None:
    """Points are computed anew when a record came for their time."""
    state.take(_attempt(5.0))
    first = state.snapshot(10.0)["points"]
    state.take(_attempt(5.2, "reset", None))
    second = state.snapshot(11.0)["points"]

    assert [point["outcomes"] for point in first] == [{"ok": 1}]
    assert [point["outcomes"] for point in second] == [{"ok": 1, "reset": 1}]
    assert second[0]["first_p50"] == 0.5


def test_the_wait_in_the_queue_is_littles(state: DashboardState) -> None:
    """40 waiting and 8 let in per second are 5 s of waiting; with nobody let in it is not known."""
    state.take(ServiceSecond(3, "main", offered=10, admitted=8, queued=40, capacity=40.0))
    state.take(ServiceSecond(4, "main", offered=10, queued=40, capacity=40.0))
    sides = state.snapshot(5.0)["providers"]["main"]

    assert [side["wait"] for side in sides] == [5.0, None]


def test_who_waits_for_longer_than_the_slo_is_not_good(state: DashboardState) -> None:
    """One of five prompts was answered within the slo of 10 s, one after it, one was given up, and two still wait."""
    for took, settled in ((2.0, "answered"), (11.0, "answered"), (3.0, "gave_up")):
        state.take(_prompt(20.0, took, settled))
    waiting = Progress(60.0, "steady", (), 5, 2, 0.0, 0.2, None, {}, {20: 2})

    state.take(waiting)
    point, row = state.snapshot(60.0)["points"][0], state.phase_rows()[0]

    assert (point["prompts"], point["good"], row["good"]) == (5, 0.2, 0.2)
    assert (point["latency_p50"], state.phase_texts()[0]["latency_p50"]) == (None, "never")

    state.take(replace(waiting, overdue={}))
    assert state.snapshot(61.0)["points"][0]["good"] == pytest.approx(1 / 3)
