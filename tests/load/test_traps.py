"""Every way to fail has one right outcome; each row is a way in which load generators hide an outage."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.load.conftest import Inside
from tests.load.fault_server import GAP, FaultServer

pytestmark = pytest.mark.live

SPEED = 2.0
OUTCOMES = {
    "healthy": "ok",
    "split_anywhere": "ok",
    "fin_before_last_chunk": "closed",
    "content_length_short": "closed",
    "reset_mid_stream": "reset",
    "stall_mid_stream": "slow",
    "close_delimited_cut": "truncated",
    "clean_end_without_finish": "truncated",
    "no_done": "truncated",
    "error_event": "error_event",
    "malformed_event": "malformed",
    "reset_before_headers": "reset",
    "close_before_headers": "closed",
    "half_a_header": "closed",
    "bad_chunk_size": "malformed",
    "no_answer": "timeout",
    "comments_only": "timeout",
    "blank": "blank",
    "html_with_200": "malformed",
    "unavailable": "http_error",
    "limited_exactly": "rate_limited",
    "bad_gateway_page": "http_error",
    "redirect": "malformed",
    "refused": "refused",
    "whole:whole": "ok",
    "whole_cut:whole": "closed",
    "whole_blank:whole": "blank",
    "html_with_200:whole": "malformed",
    "no_answer:whole": "timeout",
    "closes_after_answer": "ok",
    "healthy:again": "ok",
}


@pytest.fixture(scope="module", params=["openai", pytest.param("anthropic", marks=pytest.mark.second)])
def rows(request: pytest.FixtureRequest, inside: Inside, faults: FaultServer) -> dict[str, dict[str, Any]]:
    """What the recorder saw of each fault, in either dialect."""
    address = urlsplit(faults.url)
    found: dict[str, dict[str, Any]] = inside(
        "attempts", request.param, str(address.hostname), str(address.port), json.dumps(list(OUTCOMES)), str(SPEED)
    )
    return found


@pytest.mark.parametrize(("fault", "outcome"), OUTCOMES.items())
def test_a_fault_has_its_outcome(rows: dict[str, dict[str, Any]], fault: str, outcome: str) -> None:
    """A cut is no success, a drip of comments is no answer, and an orderly end is no proof of a whole answer."""
    assert rows[fault]["outcome"] == outcome


def test_tokens_are_timed_as_they_come(rows: dict[str, dict[str, Any]]) -> None:
    """The first token is seen when it comes and not when the answer is over; times are scenario seconds."""
    healthy = rows["healthy"]

    assert healthy["tokens"] == 5
    assert healthy["first_token"] >= GAP * SPEED
    assert healthy["worst_gap"] >= GAP * SPEED
    assert healthy["end"] - healthy["start"] - healthy["first_token"] >= 3.9 * GAP * SPEED


def test_tokens_before_a_cut_are_counted(rows: dict[str, dict[str, Any]]) -> None:
    """Two tokens came before the reset, and the stall's first token is known."""
    assert rows["reset_mid_stream"]["tokens"] == 2
    assert rows["stall_mid_stream"]["first_token"] >= GAP * SPEED


def test_keep_alive_comments_do_not_defeat_the_deadline(rows: dict[str, dict[str, Any]]) -> None:
    """A comment every 100 ms resets every timeout per read; the attempt still ends, and not before its time."""
    drip = rows["comments_only"]

    assert drip["first_token"] is None
    assert drip["end"] - drip["start"] >= 1.0 * SPEED


def test_retry_after_is_in_scenario_seconds(rows: dict[str, dict[str, Any]]) -> None:
    """The wire says wall time: 7 s at speed 2 are 14 scenario seconds, and milliseconds go before seconds."""
    assert rows["unavailable"]["retry_after"] == 7 * SPEED
    assert rows["limited_exactly"]["retry_after"] == 0.25 * SPEED
    assert rows["bad_gateway_page"]["retry_after"] is None


def test_the_server_may_say_whether_to_retry(rows: dict[str, dict[str, Any]]) -> None:
    """x-should-retry is read as the official SDKs read it."""
    assert rows["limited_exactly"]["should_retry"] is True
    assert rows["bad_gateway_page"]["should_retry"] is False
    assert rows["unavailable"]["should_retry"] is None


def test_the_status_of_a_failure_is_kept(rows: dict[str, dict[str, Any]]) -> None:
    """A status is known whenever headers came, and only then."""
    assert rows["unavailable"]["status"] == 503
    assert rows["reset_mid_stream"]["status"] == 200
    assert rows["reset_before_headers"]["status"] is None


def test_nothing_on_the_way_may_compress(rows: dict[str, dict[str, Any]], faults: FaultServer) -> None:
    """Compression would hold tokens back, so it is not offered."""
    assert {headers["accept-encoding"] for _, headers, _ in faults.seen} == {"identity"}


def test_a_stale_connection_makes_no_phantom_error(rows: dict[str, dict[str, Any]]) -> None:
    """The server hung up after an answer; the next request on that pool opens a new connection and succeeds."""
    assert rows["healthy:again"]["outcome"] == "ok"
