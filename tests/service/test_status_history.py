"""What the status page has said."""

from typing import Any

from mockbot.scenario.schema import StatusUpdate
from mockbot.service.status_history import StatusHistory


def history_of(*updates: dict[str, Any]) -> StatusHistory:
    """A history of two providers after these updates, a minute apart."""
    history = StatusHistory(("main", "other"))
    for minute, update in enumerate(updates):
        history.publish(StatusUpdate.model_validate({"at": "0s", **update}), minute * 60.0)
    return history


def test_nothing_said_is_all_operational() -> None:
    """Green while everything may be down."""
    history = history_of()

    assert (history.indicator, history.description, history.component("main")) == (
        "none",
        "All Systems Operational",
        "operational",
    )


def test_an_incident_goes_on_until_it_is_resolved() -> None:
    """Three updates, one incident; the impact stays until it is said anew; the end is green again."""
    updates = [
        {"state": "investigating", "impact": "major"},
        {"state": "monitoring"},
        {"state": "resolved"},
    ]

    during, after = history_of(*updates[:2]), history_of(*updates)

    assert (during.indicator, during.component("other")) == ("major", "partial_outage")
    assert [incident.state for incident in during.open] == ["monitoring"]
    assert (after.indicator, after.open, len(after.incidents)) == ("none", [], 1)
    assert (after.incidents[0].impact, after.incidents[0].name) == ("major", "Elevated error rates")


def test_what_comes_after_the_end_is_another_incident() -> None:
    """Two waves."""
    history = history_of(
        {"state": "investigating"}, {"state": "resolved"}, {"state": "investigating", "impact": "critical"}
    )

    assert [incident.over for incident in history.incidents] == [True, False]


def test_an_update_of_one_provider_spares_the_other() -> None:
    """Only its component changes colour."""
    history = history_of({"state": "investigating", "impact": "critical", "provider": "main"})

    assert (history.component("main"), history.component("other")) == ("major_outage", "operational")


def test_an_announced_maintenance_is_green_until_it_begins() -> None:
    """`scheduled` announces, `in_progress` begins, `completed` ends."""
    updates = [{"state": "scheduled"}, {"state": "in_progress"}, {"state": "completed"}]

    seen = [(history_of(*updates[:n]).indicator, history_of(*updates[:n]).component("main")) for n in (1, 2, 3)]

    assert seen == [("none", "operational"), ("maintenance", "under_maintenance"), ("none", "operational")]


def test_an_end_without_a_beginning_says_nothing() -> None:
    """Nobody resolves what nobody reported."""
    assert history_of({"state": "resolved"}).incidents == []


def test_saying_it_again_changes_nothing() -> None:
    """A driver that repeats itself adds no update."""
    assert len(history_of({"state": "investigating"}, {"state": "investigating"}).incidents[0].updates) == 1


def test_the_past_is_remembered() -> None:
    """A component's state at any moment, for the history strip."""
    history = history_of({"state": "investigating", "impact": "minor"}, {"state": "resolved"})

    assert [history.component("main", at) for at in (-1.0, 0.0, 59.0, 60.0)] == [
        "operational",
        "degraded_performance",
        "degraded_performance",
        "operational",
    ]


def test_the_promised_time_is_that_of_the_reader_s_clock() -> None:
    """Half an hour of a scenario that is played ten times as fast is three minutes."""
    history = StatusHistory(("main",), speed=10.0)

    history.publish(StatusUpdate.model_validate({"at": "0s", "state": "in_progress", "back_in": "30m"}), 1_000.0)

    assert history.incidents[0].updates[0].back == 1_180.0
