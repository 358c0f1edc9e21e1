"""One convention for percentiles: nearest rank, whoever computes one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockbot.evidence.sketch import Sketch
from mockbot.measures.percentiles import ACCURACY
from mockbot.units.rank import nearest_rank


@given(st.lists(st.floats(1e-3, 1e5), min_size=1, max_size=300), st.sampled_from([0.07, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_the_live_views_and_the_reports_percentiles_agree(values: list[float], q: float) -> None:
    """With each other, and with NumPy's name for nearest rank."""
    sketch = Sketch()
    for value in values:
        sketch.add(value)

    found = nearest_rank(sorted(values), q)

    if not math.isclose(q * len(values), round(q * len(values))):  # NumPy does not round 7.000000000000001 to rank 7
        assert found == np.quantile(values, q, method="inverted_cdf")
    assert sketch.quantile(q) == pytest.approx(found, rel=1.0001 * ACCURACY)


def test_of_two_values_the_median_is_the_lesser() -> None:
    """A mean of both would be a time that nobody saw, and infinite where one prompt was never answered."""
    assert nearest_rank([1.0, math.inf], 0.5) == 1.0
    assert nearest_rank([], 0.5) is None
