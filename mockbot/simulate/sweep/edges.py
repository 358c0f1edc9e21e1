"""Counts of runs that did not recover in, intervals out: of one point, and of the edge along a row of points. Pure.

A point: Clopper and Pearson (Biometrika 26, 1934), exact for a binomial count.

The edge is the value at which half of the runs do not recover. Their share is taken to grow, or to fall, all along the
axis. A point lies surely before the edge when it and those after it, EVIDENCE runs together, recovered so often as a
half would by chance in 2.5 % of cases at most; surely behind it the other way round. Both are asked point by point from
their own end of the row up to the first that is not sure, so that many points make no error likelier.
"""

from collections.abc import Callable, Sequence
from math import ceil, comb
from typing import NamedTuple

ERROR = 0.025  # on each side: an interval of 95 %
EVIDENCE = 6  # runs; 2^-6 is the first power below ERROR


class Count(NamedTuple):
    """Runs of a point, and those of them that did not recover."""

    down: int
    runs: int


def share_interval(count: Count) -> tuple[float, float]:
    """95 % for the share of runs that do not recover."""
    down, runs = count
    low = _root(lambda p: 1 - _at_most(down - 1, runs, p)) if down else 0.0
    high = 1 - _root(lambda p: _at_most(down, runs, 1 - p)) if down < runs else 1.0
    return low, high


def edge_between(row: Sequence[Count]) -> tuple[int | None, int | None] | None:
    """The positions of the last point surely on one side of the edge and the first surely on the other, ascending.

    None instead of a position: the row says nothing sure on that side. None alone: all its runs ended alike.
    """
    down, runs = sum(each.down for each in row), sum(each.runs for each in row)
    if not 0 < down < runs:
        return None
    half = len(row) // 2
    if _share(row[half:]) < _share(row[: len(row) - half]):
        row = [_other(each) for each in row]
    width = ceil(EVIDENCE / max(1, *(each.runs for each in row)))
    before = after = None
    for index in range(len(row)):
        if not _is_rare(row[index : index + width]):
            break
        before = index
    for index in reversed(range(len(row))):
        if not _is_rare([_other(each) for each in row[max(0, index - width + 1) : index + 1]]):
            break
        after = index
    return before, after


def _other(count: Count) -> Count:
    return Count(count.runs - count.down, count.runs)


def _share(row: Sequence[Count]) -> float:
    return sum(each.down for each in row) / max(1, sum(each.runs for each in row))


def _is_rare(row: Sequence[Count]) -> bool:
    """So few are down that a share of a half would show it in 2.5 % of cases at most."""
    return _at_most(sum(each.down for each in row), sum(each.runs for each in row), 0.5) <= ERROR


def _at_most(count: int, runs: int, p: float) -> float:
    """P(X <= count) of a binomial X."""
    return sum(comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(count + 1))


def _root(growing: Callable[[float], float]) -> float:
    """Where it reaches ERROR."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if growing(middle) < ERROR else (low, middle)
    return (low + high) / 2
