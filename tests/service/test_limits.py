"""Limits per key, in scenario time."""

import pytest

from mockbot.service.limits import Limiter


def test_a_minutes_worth_may_come_at_once() -> None:
    """60 a minute: the 61st in the same moment must wait a second."""
    limiter = Limiter(60 / 60)
    taken = [limiter.take("key", 0.0) for _ in range(61)]

    assert [each.wait for each in taken[:60]] == [0.0] * 60
    assert taken[60].wait == pytest.approx(1.0)


def test_the_wait_told_is_the_true_wait() -> None:
    """Coming back a moment too early is refused, coming back after the wait is not."""
    limiter = Limiter(0.5)
    while not (wait := limiter.take("key", 10.0).wait):
        pass

    assert limiter.take("key", 10.0 + wait - 0.001).wait > 0
    assert limiter.take("key", 10.0 + wait).wait == 0


def test_keys_do_not_share() -> None:
    """One key's excess costs no other key anything."""
    limiter = Limiter(1 / 60)
    limiter.take("a", 0.0)

    assert limiter.take("a", 0.0).wait > 0
    assert limiter.take("b", 0.0).wait == 0


def test_the_headers_figures_are_true() -> None:
    """Limit, what is left, and the seconds until it is full again."""
    limiter = Limiter(2.0)
    limiter.take("key", 0.0)

    allowance = limiter.take("key", 0.0)

    assert (allowance.limit, allowance.remaining) == (120, 118)
    assert allowance.reset == pytest.approx(1.0)


def test_what_can_never_fit_is_known() -> None:
    """A cost above the bucket's size never passes, however long one waits."""
    limiter = Limiter(1.0)

    assert not limiter.take("key", 0.0, 60.0, really=False).never
    assert limiter.take("key", 0.0, 61.0, really=False).never


def test_keys_that_have_filled_up_are_forgotten() -> None:
    """A million strangers cost no memory once they are quiet."""
    limiter = Limiter(10.0)
    for n in range(25_000):
        limiter.take(f"key-{n}", n * 1.0)

    assert len(limiter._buckets) <= 10_001
