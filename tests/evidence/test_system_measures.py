"""Figures of a system under test, from journals small enough to compute by hand."""

import math

import pytest

from mockbot.evidence.system_measures import (
    Ratio,
    added_first_token,
    added_latency,
    detour_waits,
    fail_over_time,
    first_return,
    last_detour,
    orphaned_upstream,
    retry_waits,
    saved,
    share_of,
    upstream_availability,
    upstream_distribution,
    upstream_per_prompt,
)
from tests.evidence.system_build import Journal, ask, piece

DEAD = ask(outcome="http_error", status=503, took=0.1)


@pytest.fixture
def outage() -> Journal:
    """Calm until 10, main dead until 30; three tries, then other; two prompts without detour; back from 40 on."""
    journal = Journal()
    for at in (0.0, 5.0):
        journal.asked(at, ask())
    for at in (10.0, 15.0, 20.0, 29.0):
        journal.asked(at, DEAD, ask(outcome="http_error", status=503, after=1.0, took=0.1), ask("other", after=2.0))
    journal.asked(25.0, DEAD, outcome="http_error", status=502)
    for at in (31.0, 35.0):
        journal.asked(at, ask("other"))
    for at in (40.0, 45.0):
        journal.asked(at, ask())
    return journal


def test_requests_per_prompt_and_their_distribution(outage: Journal) -> None:
    """4 x 3 + 7 x 1 requests for 11 prompts; of the five that failed first, four took three and one took one."""
    exchanges = outage.joined().exchanges

    assert upstream_per_prompt(exchanges) == Ratio(19, 11)
    assert upstream_distribution(exchanges) == {1: 1, 3: 4}


def test_a_failure_upstream_that_no_user_saw_was_saved(outage: Journal) -> None:
    """Four of the five."""
    exchanges = outage.joined().exchanges

    assert saved(exchanges) == Ratio(4, 5)
    assert share_of(exchanges, "whole") == Ratio(10, 11)
    assert upstream_availability(exchanges) == Ratio(10, 19)
    assert upstream_availability(exchanges, "main") == Ratio(4, 13)


def test_times_of_the_detour_and_of_both_returns(outage: Journal) -> None:
    """The prompt at 10 is answered by other at 13.7; after 30 main answers first at 40.5, other last at 35."""
    exchanges = outage.joined().exchanges

    assert fail_over_time(exchanges, "main", 10.0, 30.0) == pytest.approx(3.7)
    assert first_return(exchanges, "main", 30.0) == pytest.approx(10.5)
    assert last_detour(exchanges, "main", 30.0) == pytest.approx(5.0)


def test_a_time_that_never_came_is_infinite() -> None:
    """And no detour is a detour of 0 s."""
    journal = Journal()
    journal.asked(10.0, DEAD, outcome="http_error", status=503)
    journal.asked(31.0, ask("other"))

    exchanges = journal.joined().exchanges

    assert fail_over_time(exchanges, "main", 10.0, 30.0) == math.inf
    assert first_return(exchanges, "main", 30.0) == math.inf
    assert last_detour(exchanges, "other", 31.5) == 0.0


def test_waits_between_requests_as_the_providers_saw_them(outage: Journal) -> None:
    """1 s before the second try, 2 s more before the detour."""
    exchanges = outage.joined().exchanges

    assert retry_waits(exchanges) == pytest.approx([1.0] * 4)
    assert detour_waits(exchanges) == pytest.approx([2.0] * 4)


def test_a_request_that_outlives_its_user_is_orphaned() -> None:
    """The user left after 2 s; the request ended after 30 s. One that ends within a second is none."""
    journal = Journal()
    journal.asked(0.0, ask(outcome="timeout", took=30.0), outcome="timeout", status=None, gives_up_after=2.0)
    journal.asked(0.0, ask(outcome="timeout", took=2.5), outcome="timeout", status=None, gives_up_after=2.0)

    assert orphaned_upstream(journal.joined().exchanges) == Ratio(1, 2)


def test_added_latency_is_what_the_system_took_beside_its_provider() -> None:
    """Only prompts that one request answered in full."""
    journal = Journal()
    journal.asked(0.0, ask(after=0.02))
    journal.asked(1.0, DEAD, ask("other"))
    journal.asked(2.0, ask(), pieces=[piece("p2", words=3)])

    assert added_latency(journal.joined().exchanges) == pytest.approx([0.02])
    assert added_first_token(journal.joined().exchanges) == []


def test_no_prompts_are_no_figure() -> None:
    """Not 0 %, not 100 %."""
    assert upstream_per_prompt([]).value is None
    assert share_of([], "laundered").value is None
