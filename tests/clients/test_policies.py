"""The plain policies as a scenario names them: how often they try, how long they wait, what Retry-After does."""

from random import Random

import pytest

from mockbot.clients.policy import GiveUp
from tests.clients.play import DOWN, HUNG, LIMITED, OK, always, answers, play, policies, status


def test_once_tries_once() -> None:
    """One attempt, then the error shows at once."""
    told = always("once", DOWN)

    assert len(told.sends) == 1
    assert told.gave_up == GiveUp(0.0, "1 attempt")


def test_fixed_waits_the_same_each_time() -> None:
    """Four attempts with exactly two seconds between them, whatever the server says."""
    told = always({"name": "fixed", "attempts": 4, "wait": "2s"}, status(503, retry_after=60.0))

    assert told.gaps == [2.0, 2.0, 2.0]
    assert told.gave_up == GiveUp(6.0, "4 attempts")


def test_a_fixed_wait_of_nothing_is_a_millisecond() -> None:
    """Nobody reacts in no time: a cheap refusal must not become an endless burst."""
    assert always({"name": "fixed", "wait": "0s"}, DOWN).gaps == pytest.approx([0.001, 0.001])


def test_backoff_spreads_over_a_growing_range() -> None:
    """Full jitter: after failure n anywhere in 0..min(cap, 2^n), on average half of it."""
    gaps = [always({"name": "backoff", "attempts": 7, "cap": "10s"}, DOWN, seed=seed).gaps for seed in range(400)]

    for n, most in enumerate([1, 2, 4, 8, 10, 10]):
        column = [gap[n] for gap in gaps]
        assert max(column) <= most
        assert sum(column) / len(column) == pytest.approx(most / 2, rel=0.1)


@pytest.mark.parametrize(("jitter", "least"), [("none", 1.0), ("equal", 0.5)])
def test_backoff_can_have_less_jitter(jitter: str, least: float) -> None:
    """`equal` waits at least half of the exponential, `none` all of it."""
    gaps = always({"name": "backoff", "attempts": 5, "jitter": jitter}, DOWN).gaps

    assert all(least * 2**n <= gap + 1e-9 <= 2**n + 2e-9 for n, gap in enumerate(gaps))


def test_retry_after_is_a_lower_bound_with_jitter_on_top() -> None:
    """Told 10 s, a hundred clients come back between 10 and 21 s later, and no two of them together."""
    gaps = [always("backoff", status(503, retry_after=10.0), seed=seed).gaps[0] for seed in range(100)]

    assert min(gaps) >= 10.0
    assert max(gaps) <= 10.0 + 1.0 + 10.0
    assert len({round(gap, 3) for gap in gaps}) > 90


def test_jitter_on_a_long_retry_after_has_a_limit() -> None:
    """Told to wait ten minutes, a client is at most `spread` and one back-off late."""
    gaps = [
        always({"name": "backoff", "spread": "45s"}, status(503, retry_after=600.0), seed=seed).gaps[0]
        for seed in range(100)
    ]

    assert 630.0 < max(gaps) <= 646.0


def test_retry_after_obeyed_exactly_makes_a_herd() -> None:
    """`retry_after: exact`: a hundred clients come back at the very same moment, as SDKs do."""
    words = {"name": "backoff", "retry_after": "exact"}

    moments = {always(words, status(503, retry_after=30.0), seed=seed).sends[1].at for seed in range(100)}

    assert moments == {30.0}


def test_retry_after_can_be_ignored() -> None:
    """`retry_after: false` comes back within its own back-off."""
    words = {"name": "backoff", "retry_after": False}

    assert always(words, status(503, retry_after=600.0)).gaps[0] <= 1.0


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422])
def test_backoff_does_not_repeat_what_would_fail_again(code: int) -> None:
    """A wrong request is asked once."""
    assert len(always("backoff", status(code)).sends) == 1


@pytest.mark.parametrize("code", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_backoff_repeats_what_may_pass(code: int) -> None:
    """Overload, limits and server errors are asked again."""
    assert len(always({"name": "backoff", "attempts": 3}, status(code)).sends) == 3


def test_backoff_stops_at_the_answer() -> None:
    """Two failures, then an answer: three attempts and no giving up."""
    told = play(policies("backoff").new_client(Random(1)), answers(DOWN, LIMITED, OK))

    assert len(told.sends) == 3
    assert told.gave_up is None


def test_sdk_waits_as_openai_does() -> None:
    """Three attempts, 0.375..0.5 s and 0.75..1 s apart."""
    for seed in range(100):
        first, second = always("sdk", DOWN, seed=seed).gaps

        assert 0.375 <= first <= 0.5
        assert 0.75 <= second <= 1.0


def test_refresh_reloads_a_page_that_still_waits() -> None:
    """Every 5 s +- 10 %: the attempt is abandoned then, and the next one is sent in the same breath."""
    told = always({"name": "refresh", "every": "5s"}, HUNG)

    assert len(told.sends) == pytest.approx(3600 / 5, rel=0.02)
    assert all(4.5 <= send.timeout <= 5.5 for send in told.sends[:-1])
    assert all(gap - send.timeout <= 0.0011 for gap, send in zip(told.gaps, told.sends, strict=False))


def test_refresh_keeps_its_pace_when_errors_come_quickly() -> None:
    """An error after a tenth of a second is reloaded when the five seconds are over, not before."""
    told = play(
        policies({"name": "refresh", "every": "5s"}, patience="5m").new_client(Random(1)), answers(DOWN), takes=0.1
    )

    assert all(4.5 <= gap <= 5.5 for gap in told.gaps)


def test_refresh_at_once_takes_a_human_second() -> None:
    """`every: 0`: a person needs 1 to 1.5 s to see the error and press the button, never twice the same."""
    told = play(policies("refresh", patience="5m").new_client(Random(1)), answers(DOWN))

    assert all(1.0 <= gap <= 1.5 for gap in told.gaps)
    assert len(set(told.gaps)) == len(told.gaps)


def test_refresh_never_reads_retry_after() -> None:
    """Told to wait an hour, a person reloads within seconds."""
    assert always("refresh", status(503, retry_after=3600.0), patience="1m").gaps[0] <= 1.5


def test_refresh_is_never_faster_than_a_person() -> None:
    """`every: 100ms` is a person who presses about once a second at most."""
    told = play(policies({"name": "refresh", "every": "100ms"}, patience="1m").new_client(Random(1)), answers(DOWN))

    assert min(told.gaps) >= 1.0


def test_a_stream_that_breaks_is_asked_again_by_people_and_by_careful_clients() -> None:
    """After three tokens and a reset `backoff` and `refresh` ask again, the SDK shows the exception."""
    broken = status(200, outcome="reset", streamed=True)

    assert len(always({"name": "backoff", "attempts": 3}, broken).sends) == 3
    assert len(always("refresh", broken, patience="10s").sends) > 3
    assert len(always("sdk", broken).sends) == 1


def test_a_plain_answer_that_breaks_is_no_answer_for_an_sdk() -> None:
    """Without streaming, a reset in the middle of the body is a connection error, and retried."""
    broken = status(200, outcome="reset")

    assert len(always("sdk", broken, stream=False).sends) == 3
    assert len(always("sdk", broken, stream=True).sends) == 1


def test_who_would_wait_longer_than_his_patience_leaves_when_it_is_over() -> None:
    """Told to wait a minute with a minute's patience: no further attempt, and the error shows after that minute."""
    client = policies({"name": "backoff", "retry_after": "exact"}, patience="1m").new_client(Random(1))
    client.begin(0.0)

    assert client.after(1.0, status(503, retry_after=60.0)) == GiveUp(60.0, "patience")


def test_an_error_that_comes_too_late_is_not_waited_for() -> None:
    """litellm's Router sleeps 2 s before it raises; a user with 3 s of patience has left by then."""
    assert always("litellm-router", DOWN, patience="3s").gave_up == GiveUp(3.0, "patience")


def test_giving_up_can_mean_to_stay_away() -> None:
    """A user who `comes_back` leaves for about that long; without it he thinks as usual."""
    away = [always("once", DOWN, seed=seed, comes_back="10m").gave_up for seed in range(2000)]

    assert sum(told.away or 0.0 for told in away if told) / len(away) == pytest.approx(600, rel=0.1)
    assert always("once", DOWN).gave_up == GiveUp(0.0, "1 attempt", None)
