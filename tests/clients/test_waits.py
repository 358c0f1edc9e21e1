"""The formulas of waiting, each against the numbers of its source."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockbot.clients.waits import Decorrelated, Exponential

SECONDS = st.floats(0.001, 1e4)


def _bounds(wait: Exponential, n: int) -> tuple[float, float]:
    drawn = [wait.draw(n, 0.0, Random(seed)) for seed in range(500)]
    return min(drawn), max(drawn)


@pytest.mark.parametrize(
    ("low", "least", "most"), [(1.0, 4.0, 4.0), (0.5, 2.0, 4.0), (0.0, 0.0, 4.0), (0.75, 3.0, 4.0)]
)
def test_jitter_fills_its_part_of_the_exponential(low: float, least: float, most: float) -> None:
    """After the third failure with base 1: none 4, equal 2..4, full 0..4, the SDKs' 3..4 seconds."""
    lowest, highest = _bounds(Exponential(1.0, 30.0, low=low), 2)

    assert lowest == pytest.approx(least, abs=0.02)
    assert highest == pytest.approx(most, abs=0.02)


def test_openai_waits_grow_to_eight_seconds() -> None:
    """min(0.5 * 2^n, 8): 0.5, 1, 2, 4, 8, 8, 8."""
    plain = Exponential(0.5, 8.0)

    assert [plain.draw(n, 0.0, Random(1)) for n in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_tenacity_random_exponential_has_a_floor() -> None:
    """wait_random_exponential(min=1, max=20): exactly 1 at first, then 1..2, at last 1..20."""
    wait = Exponential(1.0, 20.0, low=0.0, floor=1.0)

    assert _bounds(wait, 0) == (1.0, 1.0)
    assert _bounds(wait, 1) == pytest.approx((1.0, 2.0), abs=0.02)
    assert _bounds(wait, 9) == pytest.approx((1.0, 20.0), abs=0.2)


def test_litellm_adds_its_jitter_on_top() -> None:
    """0.5 + U(0, 0.75) after the first failure."""
    assert _bounds(Exponential(0.5, 8.0, plus=0.75), 0) == pytest.approx((0.5, 1.25), abs=0.02)


def test_the_thousandth_wait_is_the_cap() -> None:
    """A user who tries for ever does not overflow the formula."""
    assert Exponential(1.0, 30.0).draw(100_000, 0.0, Random(1)) == 30.0


@given(base=SECONDS, cap=SECONDS, low=st.floats(0, 1), n=st.integers(0, 5000), seed=st.integers())
def test_an_exponential_wait_stays_within_its_bounds(base: float, cap: float, low: float, n: int, seed: int) -> None:
    """low * v <= wait <= v <= cap, whatever the numbers."""
    wait = Exponential(base, cap, low=low).draw(n, 0.0, Random(seed))

    most = min(cap, base * 2.0 ** min(n, 64))
    assert low * most * (1 - 1e-12) <= wait <= most * (1 + 1e-12)


@given(base=SECONDS, cap=SECONDS, previous=st.floats(0, 1e4), seed=st.integers())
def test_a_decorrelated_wait_grows_at_most_threefold(base: float, cap: float, previous: float, seed: int) -> None:
    """min(cap, U(base, 3 x previous)): never below min(base, cap), never above the cap or three times the last."""
    wait = Decorrelated(base, cap).draw(0, previous, Random(seed))

    assert min(base, cap) <= wait <= min(cap, 3 * max(base, previous)) * (1 + 1e-12)
