"""A user does on the wire what its policy decides: so many attempts, side by side when it hedges, each on record."""

import json
from typing import Any

import pytest

from tests.load.conftest import Inside
from tests.load.fault_server import FaultServer

pytestmark = pytest.mark.live

Records = list[dict[str, Any]]


def _ask(inside: Inside, url: str, policy: object, prompts: int) -> tuple[Records, Records]:
    """Attempts and prompts."""
    group = {"users": "100%", "policy": policy, "patience": "1h", "stream": False}
    records: Records = inside("asking", url, json.dumps(group), str(prompts))
    return [r for r in records if r["kind"] == "attempt"], [r for r in records if r["kind"] == "prompt"]


@pytest.mark.second
def test_attempts_per_prompt_follow_the_formula(inside: Inside, faults: FaultServer) -> None:
    """Three attempts at a service that fails half of the time make (1 - p^3) / (1 - p) = 1.75 each, within 5 %."""
    policy = {"name": "fixed", "attempts": 3, "wait": "1ms"}
    attempts, prompts = _ask(inside, f"{faults.url}/fails_half", policy, 2000)

    assert len(attempts) / len(prompts) == pytest.approx(1.75, rel=0.05)
    assert sum(p["attempts"] for p in prompts) == len(attempts)
    assert sum(p["settled"] == "gave_up" for p in prompts) / len(prompts) == pytest.approx(0.125, abs=0.03)


def test_a_hedge_runs_beside_and_the_first_answer_wins(inside: Inside, faults: FaultServer) -> None:
    """The first request hangs; after 200 ms a second one is sent and answered, and on the first we hang up."""
    attempts, prompts = _ask(inside, f"{faults.url}/hangs_first", {"name": "once", "hedge": "200ms"}, 1)
    hung, twin = sorted(attempts, key=lambda attempt: int(attempt["n"]))

    assert [(prompt["settled"], prompt["attempts"]) for prompt in prompts] == [("answered", 2)]
    assert (hung["outcome"], twin["outcome"]) == ("unfinished", "ok")
    assert (
        twin["start"] - prompts[0]["start"] >= 0.1999
    )  # due 200 ms after the decision to send; journals round to 0.1 ms
    assert hung["end"] >= twin["end"]


def test_an_answer_in_time_is_not_hedged(inside: Inside, faults: FaultServer) -> None:
    """No second request when the first one answers before the hedge is due."""
    attempts, _ = _ask(inside, f"{faults.url}/whole", {"name": "once", "hedge": "20s"}, 3)

    assert [attempt["outcome"] for attempt in attempts] == ["ok"] * 3


def test_a_prompt_and_its_attempts_know_each_other(inside: Inside, faults: FaultServer) -> None:
    """The wire carries prompt, attempt and group, by which the service's own counts can be held against the journal."""
    before = len(faults.seen)
    attempts, _ = _ask(inside, f"{faults.url}/unavailable", {"name": "fixed", "attempts": 2, "wait": "1ms"}, 1)
    asked = [headers for _, headers, _ in faults.seen[before:]]

    assert [(h["x-mockbot-prompt"], h["x-mockbot-attempt"]) for h in asked] == [
        (a["prompt"], str(a["n"])) for a in attempts
    ]
    assert {h["x-mockbot-group"] for h in asked} == {"users"}
    assert {h["authorization"] for h in asked} == {"Bearer sk-free-users-1"}


def test_a_user_that_is_taken_away_as_it_wakes_begins_no_prompt(inside: Inside, faults: FaultServer) -> None:
    """Its removal and the end of its thinking may come due at once when the event loop was late."""
    settled = inside("leaving_users", f"{faults.url}/healthy")

    assert settled
    assert "unfinished" not in settled


def test_a_user_among_many_keeps_its_connection(inside: Inside) -> None:
    """Its descriptor is above 1023, which select(2) does not take; a connection that the server closed is replaced."""
    assert inside("crowded") == [1100, ["ok"] * 3, 2]
