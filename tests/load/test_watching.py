"""What a watcher sees at a glance: since when it is wrong, who suffers, what is coming; pure."""

import pytest

from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.web_ui.dashboard_state import DashboardState
from mockbot.load.web_ui.watching import coming, wrong_since
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline

OUTAGE = """
name: outage
title: An outage
slo: 10s
providers: {main: {}}
crowd: {naive: {users: 50%, policy: once}, elsewhere: {users: 50%, policy: once}}
status_page: [{at: blackout+50s, state: investigating, says: We look.}]
phases:
  - {name: steady, lasts: 100s, users: 10}
  - name: blackout
    lasts: 100s
    faults: [{http_error: 503, lasts: 60s}, {latency: 5s, at: 40s, lasts: 30s}]
  - {name: after, lasts: 100s}
"""
TIMELINE = Timeline(read_scenario(OUTAGE))


@pytest.fixture
def state() -> DashboardState:
    """A run of OUTAGE at speed 1."""
    return DashboardState(TIMELINE, 1.0, 1000.0)


def _attempt(group: str, end: float, outcome: str) -> Attempt:
    return Attempt("p", 0, group, "main", end - 1, end, outcome)  # type: ignore[arg-type]


def _prompt(group: str, end: float, settled: str = "answered") -> Prompt:
    return Prompt("p", "u", group, "free", end - 2, end - 2, end, settled, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "since"), [(99.0, None), (100.0, 100.0), (150.0, 100.0), (165.0, 100.0), (171.0, None)]
)
def test_faults_that_follow_each_other_are_one_stretch(now: float, since: float | None) -> None:
    """It has been wrong since the first of them began, though that one has ended."""
    assert wrong_since(TIMELINE, now) == since


def test_what_is_coming_is_told_with_its_time() -> None:
    """The next three moments, and the end at last."""
    assert coming(TIMELINE, 120.0) == [
        "in 20s (2:20): latency on main begins",
        "in 30s (2:30): status page: investigating",
        "in 40s (2:40): http_error on main ends",
    ]
    assert coming(TIMELINE, 250.0) == ["in 50s (5:00): the end"]
    assert coming(TIMELINE, 300.0) == []


def test_a_fault_on_one_replica_is_not_told_of_the_whole_provider() -> None:
    """One host of three answers with errors: the watcher reads which."""
    text = OUTAGE.replace("main: {}", "main: {replicas: 3}").replace("503, lasts", "503, replica: 2, lasts")

    assert coming(Timeline(read_scenario(text)), 60.0)[0] == (
        "in 40s (1:40): phase blackout; http_error on replica 2 of main begins"
    )


def test_a_group_suffers_when_it_fails_and_gets_no_good_answer(state: DashboardState) -> None:
    """One that is answered elsewhere does not, though half of its requests fail as well."""
    for end in (110.0, 120.0, 128.0):
        for group in ("naive", "elsewhere"):
            state.take(_attempt(group, end, "http_error"))
        state.take(_attempt("elsewhere", end, "ok"))
        state.take(_prompt("elsewhere", end))
    state.take(_prompt("naive", 95.0))
    state.take(_prompt("naive", 129.0, "gave_up"))

    naive, elsewhere = state.head(130.0)["groups"]

    assert naive == {"group": "naive", "failing": "100%", "last_good": "35s ago", "good": "50%", "suffers": True}
    assert elsewhere == {
        "group": "elsewhere",
        "failing": "50%",
        "last_good": "2s ago",
        "good": "100%",
        "suffers": False,
    }


def test_requests_of_long_ago_are_forgotten(state: DashboardState) -> None:
    """What failed a minute ago says nothing of now."""
    state.take(_attempt("naive", 100.0, "http_error"))
    state.take(_attempt("naive", 150.0, "ok"))

    assert state.head(155.0)["groups"][0]["failing"] == "0%"


def test_a_group_whose_requests_all_hang_suffers(state: DashboardState) -> None:
    """Nothing of it ended lately, and its last good answer is older than the slo."""
    state.take(_prompt("naive", 100.0))

    assert state.head(105.0)["groups"][0]["suffers"] is False
    assert state.head(145.0)["groups"][0] == {
        "group": "naive", "failing": "-", "last_good": "45s ago", "good": "100%", "suffers": True,
    }  # fmt: skip


def test_the_status_page_and_the_length_are_words(state: DashboardState) -> None:
    """Nothing before its first update, its state and text after it; how long it has been wrong already."""
    before, after = state.head(130.0), state.head(155.0)

    assert (before["status"], before["wrong_for"]) == ("nothing", "for 30s, since 1:40")
    assert (after["status"], after["says"]) == ("investigating, since 2:30", "We look.")
