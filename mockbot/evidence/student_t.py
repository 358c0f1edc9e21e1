"""Quantiles of Student's t distribution, for intervals over few runs or few groups of users. Pure.

For whole degrees of freedom the distribution function is a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4), with
theta = atan(t / sqrt(df)), here inverted by bisection:

    odd    P(|T| <= t) = 2/pi (theta + sin theta (cos theta + 2/3 cos^3 theta + ... ))      up to cos^(df - 2)
    even   P(|T| <= t) = sin theta (1 + 1/2 cos^2 theta + (1 3)/(2 4) cos^4 theta + ... )   up to cos^(df - 2)
"""

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt


@lru_cache(maxsize=256)
def t_quantile(p: float, df: int) -> float:
    """The t that a variable with `df` > 0 degrees of freedom does not exceed with probability `p`, 0 < p < 1."""
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while _within(high, df) < 2 * p - 1:
        low, high = high, 2 * high
    while high - low > 1e-11 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < 2 * p - 1 else (low, middle)
    return (low + high) / 2


def _within(t: float, df: int) -> float:
    """P(|T| <= t) for t >= 0."""
    theta, odd = atan(t / sqrt(df)), df % 2
    square, term, total = cos(theta) ** 2, cos(theta) if odd else 1.0, 0.0
    for power in range(odd, df - 1, 2):
        total += term
        term *= (power + 1) / (power + 2) * square
    return 2 / pi * (theta + sin(theta) * total) if odd else sin(theta) * total
