"""Where a series changes: weighted values in, the bounds of its constant stretches out. Pure.

The partition is exact for its penalty (optimal partitioning with PELT's pruning, Killick, Fearnhead and Eckley 2012,
doi:10.1080/01621459.2012.737745): it minimises the weighted squared error plus `penalty` for each stretch.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

STEEPER = 1.5  # times the penalty, until there are few enough stretches


def stretches(values: Sequence[float], weights: Sequence[float], most: int) -> list[tuple[int, int]]:
    """At most `most` half-open ranges of indices that cover `values`, in order."""
    if not values:
        return []
    penalty = 3 * math.log(len(values) + 1) * _noise(values, weights)
    while len(found := _partition(values, weights, penalty)) > most:
        penalty *= STEEPER
    return found


def _noise(values: Sequence[float], weights: Sequence[float]) -> float:
    """The variance of a value of weight one, by the differences of neighbours, which no step of the series moves."""
    steps = [
        abs(second - first) / math.sqrt(1 / w1 + 1 / w2)
        for first, second, w1, w2 in zip(values, values[1:], weights, weights[1:], strict=False)
    ]
    deviation = 1.4826 * median(steps) if steps else 0.0  # of the normal distribution, from its median
    mean_weight = sum(weights) / len(weights)
    return max(deviation, 1e-3 * math.sqrt(mean_weight)) ** 2


def _partition(values: Sequence[float], weights: Sequence[float], penalty: float) -> list[tuple[int, int]]:
    w = [0.0, *accumulate(weights)]
    wx = [0.0, *accumulate(weight * value for value, weight in zip(values, weights, strict=True))]
    wxx = [0.0, *accumulate(weight * value * value for value, weight in zip(values, weights, strict=True))]

    def error(start: int, end: int) -> float:
        return wxx[end] - wxx[start] - (wx[end] - wx[start]) ** 2 / (w[end] - w[start])

    best, since, candidates = [-penalty], [0], [0]
    for end in range(1, len(values) + 1):
        costs = [best[start] + error(start, end) for start in candidates]
        least = min(costs)
        best.append(least + penalty)
        since.append(candidates[costs.index(least)])
        candidates = [start for start, cost in zip(candidates, costs, strict=True) if cost <= least + penalty]
        candidates.append(end)
    found, end = [], len(values)
    while end > 0:
        found.append((since[end], end))
        end = since[end]
    return found[::-1]
