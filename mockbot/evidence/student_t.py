"""Quantiles of Student's t distribution, for intervals over few runs or few groups of users. Pure.

The distribution function is a regularized incomplete beta function, computed by its continued fraction (Numerical
Recipes, 3rd ed., §6.4; Abramowitz & Stegun 26.5.8 and 26.7.1), and inverted by bisection:

    P(|T| <= t) = 1 - I_x(df/2, 1/2)      with x = df / (df + t^2)
"""

import math
from functools import lru_cache

_MOST_TERMS = 10_000  # the fraction converges in O(sqrt(df)) terms
_EPSILON = 1e-15


@lru_cache(maxsize=256)
def t_quantile(p: float, df: float) -> float:
    """The t that a variable with `df` > 0 degrees of freedom does not exceed with probability `p`, 0 < p < 1."""
    if p < 0.5:
        return -t_quantile(1 - p, df)
    tail, low, high = 1 - p, 0.0, 1.0
    while _upper_tail(high, df) > tail:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _upper_tail(middle, df) > tail else (low, middle)
    return (low + high) / 2


def _upper_tail(t: float, df: float) -> float:
    """P(T > t) for t >= 0."""
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), 0 <= x <= 1. The fraction converges fast below (a + 1) / (a + b + 2); above it, its mirror does."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """By Lentz's method; no denominator vanishes for the arguments that `_incomplete_beta` gives."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / (1 + term * d), 1 + term / c
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value
