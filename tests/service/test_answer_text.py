"""Lengths and paces."""

import statistics

import pytest

from mockbot.scenario.schema import Answer
from mockbot.service.answer_text import fingerprint, length


def test_the_same_request_gets_the_same_fingerprint() -> None:
    """Seed and parts decide; nothing of the process does."""
    assert fingerprint(7, b"p1", b"body") == 0x63C910F505369B55


def test_another_request_or_seed_gets_others() -> None:
    """Also when the same bytes are split otherwise."""
    marks = {
        fingerprint(7, b"a", b"b"),
        fingerprint(8, b"a", b"b"),
        fingerprint(7, b"ab", b""),
        fingerprint(7, b"", b"ab"),
    }

    assert len(marks) == 4


def test_lengths_are_log_normal_by_median_and_p95() -> None:
    """Over many requests the median and the 95th percentile are those that were asked for."""
    answer = Answer.model_validate({"tokens": {"median": 60, "p95": 200}})
    lengths = [length(answer, fingerprint(1, str(n).encode())) for n in range(20_000)]

    percentiles = statistics.quantiles(lengths, n=100)

    assert percentiles[49] == pytest.approx(60, rel=0.03)
    assert percentiles[94] == pytest.approx(200, rel=0.05)


def test_equal_percentiles_mean_always_that_long() -> None:
    """No spread, no chance."""
    answer = Answer.model_validate({"tokens": {"median": 25, "p95": 25}})

    assert {length(answer, mark) for mark in range(0, 2**64, 2**60)} == {25}
