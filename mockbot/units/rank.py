"""Percentiles of a few values by nearest rank, as everywhere in mockbot. Pure."""

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[float], q: float) -> float | None:
    """The smallest value that a share `q` (0 < q <= 1) of all does not exceed; None of nothing."""
    # Rounded first, since 0.07 * 100 is 7.000000000000001 in floats, which must not become rank 8.
    return ordered[max(0, math.ceil(round(q * len(ordered), 9)) - 1)] if ordered else None
