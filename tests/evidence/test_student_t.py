"""Student's t against published tables."""

import itertools

import pytest

from mockbot.evidence.student_t import t_quantile

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, and for the far tails R 4.3's qt().
TABLE = {
    (0.975, 1): 12.7062,
    (0.975, 2): 4.3027,
    (0.975, 3): 3.1824,
    (0.975, 5): 2.5706,
    (0.975, 10): 2.2281,
    (0.975, 15): 2.1314,
    (0.975, 16): 2.1199,
    (0.975, 24): 2.0639,
    (0.975, 30): 2.0423,
    (0.975, 49): 2.0096,
    (0.975, 100): 1.9840,
    (0.975, 1000): 1.9623,
    (0.95, 1): 6.3138,
    (0.95, 4): 2.1318,
    (0.95, 20): 1.7247,
    (0.95, 1000): 1.6464,
    (0.9, 7): 1.4149,
    (0.99, 6): 3.1427,
    (0.995, 1): 63.6567,
    (0.995, 9): 3.2498,
    (0.999, 3): 10.2145,
    (0.999, 1000): 3.0984,
}


@pytest.mark.parametrize(("p", "df"), TABLE)
def test_it_is_what_the_tables_say(p: float, df: int) -> None:
    """To the fourth decimal, from one degree of freedom to a thousand."""
    assert t_quantile(p, df) == pytest.approx(TABLE[p, df], abs=1e-4)


def test_it_is_symmetric() -> None:
    """The median is 0, and the lower tail mirrors the upper one."""
    assert t_quantile(0.5, 7) == pytest.approx(0, abs=1e-9)
    assert t_quantile(0.025, 7) == -t_quantile(0.975, 7)


def test_it_shrinks_towards_the_normal_with_every_degree_of_freedom() -> None:
    """The quantile is continuous in the degrees of freedom."""
    values = [t_quantile(0.975, df) for df in range(1, 1001)]

    assert all(one > other for one, other in itertools.pairwise(values))
    assert values[-1] > 1.95996
