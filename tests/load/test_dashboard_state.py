"""What the web UI shows of the records it was given; pure."""

import pytest

from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
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
def board() -> DashboardState:
    """A run of OUTAGE at speed 10, of which nothing is known yet."""
    return DashboardState(Timeline(read_scenario(OUTAGE)), 10.0, 1000.0)


def _attempt(start: float, outcome: str = "ok", first_token: float | None = 0.5) -> Attempt:
    return Attempt("p", 0, "users", "main", start, start + 1, outcome, first_token=first_token)  # type: ignore[arg-type]


def _prompt(intended: float, took: float, settled: str = "answered") -> Prompt:
    return Prompt("p", "u", "users", "free", intended, intended, intended + took, settled, 1)  # type: ignore[arg-type]


def test_records_count_where_they_began(board: DashboardState) -> None:
    """An attempt that began in `steady` and failed in `blackout` is one of steady's."""
    board.take(_attempt(99.5, "timeout", None))
    board.take(_prompt(99.0, 60.0, "gave_up"))
    steady, blackout = board.rows()

    assert (steady["outcomes"], steady["prompts"], steady["good"]) == ({"timeout": 1}, 1, 0.0)
    assert (blackout["outcomes"], blackout["prompts"], blackout["good"]) == ({}, 0, None)


def test_good_is_answered_in_time(board: DashboardState) -> None:
    """Within the scenario's slo of the moment at which it should have been asked."""
    for took in (1.0, 9.9, 10.1):
        board.take(_prompt(5.0, took))

    assert board.rows()[0]["good"] == pytest.approx(2 / 3)


def test_phases_are_numbered_in_their_order(board: DashboardState) -> None:
    """Locust's table sorts by the first column."""
    assert [row["phase"] for row in board.rows()] == ["1. steady", "2. blackout"]
    assert [row["wrong"] for row in board.rows()] == ["nothing", "http_error on main"]


def test_the_banner_says_what_is_wrong_now(board: DashboardState) -> None:
    """Nothing in steady, the fault with its share in the blackout, and nothing any more when the verdict is there."""
    assert board.head(50.0)["wrong"] == []
    assert board.head(150.0)["wrong"] == ["http_error on main, 50%"]

    board.verdict = {"verdict": "pass", "reasons": [], "expectations": []}
    assert (board.head(150.0)["wrong"], board.head(150.0)["state"]) == ([], "over")


def test_a_look_sees_what_came_since_the_last(board: DashboardState) -> None:
    """Points are computed anew when a record came for their time."""
    board.take(_attempt(5.0))
    first = board.snapshot(10.0)["points"]
    board.take(_attempt(5.2, "reset", None))
    second = board.snapshot(11.0)["points"]

    assert [point["outcomes"] for point in first] == [{"ok": 1}]
    assert [point["outcomes"] for point in second] == [{"ok": 1, "reset": 1}]
    assert second[0]["first_p50"] == 0.5


def test_the_wait_in_the_queue_is_littles(board: DashboardState) -> None:
    """40 waiting and 8 let in per second are 5 s of waiting; with nobody let in it is not known."""
    board.take(ServiceSecond(3, "main", offered=10, admitted=8, queued=40, capacity=40.0))
    board.take(ServiceSecond(4, "main", offered=10, queued=40, capacity=40.0))
    sides = board.snapshot(5.0)["providers"]["main"]

    assert [side["wait"] for side in sides] == [5.0, None]
