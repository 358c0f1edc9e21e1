"""What a simulated client sees of a flawed answer is what a live one sees: the service's faults, from the outside."""

from typing import Any

import pytest

from tests.simulate.build import live_through, scenario


@pytest.mark.parametrize(
    ("fault", "outcome", "status"),
    [
        ({"http_error": 503}, "http_error", 503),
        ({"rate_limited": True}, "rate_limited", 429),
        ({"maintenance": True}, "http_error", 503),
        ({"cut": "reset"}, "reset", 200),
        ({"cut": "closed"}, "closed", 200),
        ({"cut": "clean"}, "truncated", 200),
        ({"error_event": "server_error"}, "error_event", 200),
        ({"malformed_event": 3}, "malformed", 200),
        ({"blank_answer": True}, "blank", 200),
        ({"stall": {"after_tokens": 3}}, "slow", 200),
        ({"stall": "nothing"}, "timeout", None),
        ({"stall": "keepalive"}, "timeout", 200),
        ({"stall": {"after_tokens": 3, "resumes": "5s"}}, "ok", 200),
        ({"slow": 2}, "ok", 200),
    ],
)
def test_a_flaw_shows_in_the_outcome(fault: dict[str, Any], outcome: str, status: int | None) -> None:
    """Attempts sent while it holds end as they would live; before and after all is well."""
    lived = live_through(scenario([fault]))

    assert lived.outcomes(0, 75) == {"ok"}
    assert lived.outcomes(101, 175) == {outcome}
    assert {attempt.status for attempt in lived.during(101, 175)} == {status}
    assert lived.outcomes(201, 280) == {"ok"}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"cut": "clean"}, "malformed"),
        ({"error_event": "server_error"}, "http_error"),
        ({"malformed_event": 3}, "malformed"),
        ({"blank_answer": True}, "blank"),
    ],
)
def test_a_plain_answer_is_flawed_as_a_whole(fault: dict[str, Any], outcome: str) -> None:
    """Who does not stream sees what becomes of the one document."""
    lived = live_through(scenario([fault], group={"stream": False}))

    assert lived.outcomes(101, 175) == {outcome}


def test_a_plain_answer_that_stalls_has_no_status_yet() -> None:
    """Keep-alives are comments of a stream: of a plain answer nothing has come when its client gives up."""
    lived = live_through(scenario([{"stall": "keepalive"}], group={"stream": False}))

    assert {(attempt.outcome, attempt.status) for attempt in lived.during(101, 175)} == {("timeout", None)}


@pytest.mark.parametrize("stream", [True, False])
def test_of_two_faults_that_end_an_answer_the_first_is_felt(stream: bool) -> None:
    """The cut would come after the error, in a stream and in a plain answer."""
    faults = [{"error_event": {"after_tokens": 2}}, {"cut": {"how": "reset", "after_tokens": 5}}]
    lived = live_through(scenario(faults, group={"stream": stream}))

    assert lived.outcomes(101, 175) == {"error_event" if stream else "http_error"}
    assert {fault for second in lived.seconds for fault in second.felt} == {"bad.0.error_event"}


def test_a_stall_that_ends_is_a_gap_between_tokens() -> None:
    """Silence of 5 s after the third token is the worst gap, and what was held back comes at once."""
    lived = live_through(scenario([{"stall": {"after_tokens": 3, "resumes": "5s"}}]))

    assert {round(attempt.worst_gap or 0, 2) for attempt in lived.during(101, 175)} == {5.0}
    assert {attempt.tokens for attempt in lived.during(101, 175)} == {11}


def test_every_fault_that_hit_says_so() -> None:
    """The provider's seconds count exactly the requests that an edge fault answered."""
    lived = live_through(scenario([{"http_error": 503, "share": "50%"}]))
    failed = sum(attempt.outcome == "http_error" for attempt in lived.attempts)

    assert sum(second.felt.get("bad.0.http_error", 0) for second in lived.seconds) == failed > 0


def test_latency_of_the_wire_is_in_the_first_token_and_not_in_the_gaps() -> None:
    """A pipelined delay of 2 s shifts every token by 2 s."""
    lived = live_through(scenario([{"latency": "2s"}]))
    calm, bad = lived.during(1, 75)[0], lived.during(105, 175)[0]

    assert (bad.first_token or 0) - (calm.first_token or 0) == pytest.approx(2.0, abs=0.01)
    assert bad.worst_gap == pytest.approx(calm.worst_gap, abs=0.01)
