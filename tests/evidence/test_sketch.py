"""Percentiles against the exact answer, whatever the order and however the data was split."""

import math
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockbot.evidence.sketch import Sketch
from mockbot.measures.percentiles import ACCURACY

seconds = st.floats(min_value=1e-4, max_value=1e5)
many = st.lists(seconds, min_size=1, max_size=200)
shares = st.floats(min_value=0.001, max_value=1.0)


def sketch(values: list[float], never: int = 0) -> Sketch:
    result = Sketch()
    for value in values:
        result.add(value)
    result.never = never
    return result


def exact(values: list[float], q: float) -> float:
    """Nearest rank."""
    return sorted(values)[math.ceil(round(q * len(values), 9)) - 1]


@given(many, shares)
def test_a_percentile_is_within_its_accuracy(values: list[float], q: float) -> None:
    """Any data, any percentile: relative error at most ACCURACY."""
    assert sketch(values).quantile(q) == pytest.approx(exact(values, q), rel=ACCURACY * 1.0001)


@given(many, st.integers(0, 200), shares)
def test_what_never_ended_is_above_all_others(values: list[float], never: int, q: float) -> None:
    """Unanswered prompts have the highest ranks, as infinity."""
    found = sketch(values, never).quantile(q)

    assert found == pytest.approx(exact(values + never * [math.inf], q), rel=ACCURACY * 1.0001)


@given(st.lists(many, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_merging_in_any_order_is_the_same(parts: list[list[float]], random: object) -> None:
    """Workers' sketches may come in any order, and one sketch of everything is the same too."""
    shuffled = sorted(parts, key=lambda _: random.random())  # type: ignore[attr-defined]
    merged, other, whole = Sketch(), Sketch(), sketch(list(chain(*parts)))
    for part in parts:
        merged.merge(sketch(part, never=1))
    for part in shuffled:
        other.merge(sketch(part, never=1))
    whole.never = len(parts)

    told = [[one.quantile(q) for q in (0.01, 0.5, 0.95, 1.0)] + [one.mean()] for one in (merged, other, whole)]

    assert told[0] == told[1] == told[2]


def test_an_empty_sketch_says_nothing() -> None:
    """Without data there is no percentile."""
    assert (Sketch().quantile(0.5), Sketch().mean(), len(Sketch())) == (None, None, 0)


def test_a_sketch_of_nothing_but_hangs_is_infinite() -> None:
    """In a total outage every percentile is infinite."""
    assert (sketch([], never=3).quantile(0.01), sketch([], never=3).mean()) == (math.inf, None)


def test_the_coordinated_omission_fixture() -> None:
    """100 prompts/s for 200 s, of which the second hundred seconds is one stall: latency counts from the intended time.

    Tene's example: mean 25 s, p75 50 s, p99 98 s, where a naive measurement says 11 ms, 1 ms, 1 ms.
    """
    values = [0.001] * 10_000 + [100.0 - n / 100 for n in range(10_000)]

    found = sketch(values)

    assert found.mean() == pytest.approx(25.0, rel=0.01)
    assert found.quantile(0.75) == pytest.approx(50.0, rel=0.01)
    assert found.quantile(0.99) == pytest.approx(98.0, rel=0.01)


def test_a_negative_duration_counts_as_nothing() -> None:
    """Two clocks that disagree by a little do not break the percentiles."""
    assert sketch([-0.01, 1.0]).quantile(0.5) == 0.0
