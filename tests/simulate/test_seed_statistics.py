"""A measure over several seeds: its mean, a 95 % interval that is one, and what was never reached or cannot be told."""

from math import inf
from random import Random

import pytest

from mockbot.simulate.seed_statistics import interval


@pytest.mark.parametrize("seeds", [2, 3, 5, 16, 25])
def test_its_interval_holds_the_true_mean_in_95_of_100_tables(seeds: int) -> None:
    """Of 4,000 tables of normal values; three standard errors of that share are 1 %."""
    rng, tables = Random(1), 4000
    found = [interval([rng.gauss(10.0, 2.0) for _ in range(seeds)]) for _ in range(tables)]

    covered = sum(abs((each.mean or 0.0) - 10.0) <= (each.half or 0.0) for each in found)

    assert covered / tables == pytest.approx(0.95, abs=0.0105)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([4.0, 4.0, 4.0], "4s ± 0s"),
        ([4.0], "4s"),
        ([4.0, 4.0, inf], "4s ± 0s (2/3)"),
        ([4.0, 4.0, None], "4s ± 0s (2/3)"),
        ([inf, inf], "never (2/2)"),
        ([inf], "never (1/1)"),
        ([None, inf, inf], "never (2/3)"),
        ([None, None], "-"),
        ([], "-"),
    ],
)
def test_what_was_never_reached_is_told_from_what_cannot_be_told(values: list[float | None], words: str) -> None:
    """The number of runs is shown unless it is all of them."""
    assert interval(values).words("recovery_time") == words
