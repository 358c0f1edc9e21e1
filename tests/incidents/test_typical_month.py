"""The generator of months: what was published of a provider's year is usual for it, and a seed is a month."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from statistics import mean, median, variance

import pytest

from mockbot.incidents.typical_month import DAY, HISTORIES, PostedIncident, ProviderName, both_open, incidents

YEAR = datetime(2023, 9, 1, tzinfo=UTC)  # the twelve months of the fit, up to 2024-08-31
DAYS = 366
# incidents, variance/mean of months, gaps under 6 h, gap median and p90 in days, P(day), P(day after day), weekend
PUBLISHED: dict[ProviderName, tuple[float, ...]] = {
    "openai": (190, 3.53, 0.19, 0.98, 4.98, 0.35, 0.44, 0.05),
    "anthropic": (118, 5.73, 0.28, 1.03, 6.39, 0.21, 0.29, 0.04),
}


def a_year(provider: ProviderName, seed: int, rate: float = 1.0) -> list[PostedIncident]:
    """Its incidents."""
    return incidents(HISTORIES[provider], YEAR, DAYS, rate, Random(seed))


def statistics_of(year: list[PostedIncident]) -> tuple[float, ...]:
    """The eight statistics of next_anchors.md §4.3."""
    when = [datetime.fromtimestamp(each.at, UTC) for each in year]
    months = Counter((each.year, each.month) for each in when)
    counts = [months.get((2023 + (8 + n) // 12, (8 + n) % 12 + 1), 0) for n in range(12)]
    gaps = sorted((second.at - first.at) / DAY for first, second in pairwise(year))
    days = {int((each.at - YEAR.timestamp()) // DAY) for each in year}
    after = [day + 1 in days for day in days if day + 1 < DAYS]
    return (
        len(year), variance(counts) / mean(counts), mean(gap < 0.25 for gap in gaps), median(gaps),
        gaps[int(0.9 * len(gaps))], len(days) / DAYS, mean(after), mean(each.weekday() >= 5 for each in when),
    )  # fmt: skip


@pytest.mark.parametrize("provider", PUBLISHED)
def test_the_published_year_is_usual(provider: ProviderName) -> None:
    """Each of the eight published values lies between the 5th and the 95th percentile of 300 generated years."""
    years = [statistics_of(a_year(provider, seed)) for seed in range(300)]

    for published, values in zip(PUBLISHED[provider], zip(*years, strict=True), strict=True):
        ordered = sorted(values)
        assert ordered[15] <= published <= ordered[284]


def test_a_seed_is_a_month() -> None:
    """The same one, and another one for another seed."""
    assert a_year("openai", 1) == a_year("openai", 1) != a_year("openai", 2)


def test_twice_the_rate_is_twice_as_many() -> None:
    """Within 5 %, over 100 years; lengths stay."""
    usual = [each for seed in range(100) for each in a_year("openai", seed)]
    double = [each for seed in range(100) for each in a_year("openai", seed + 1000, rate=2.0)]

    assert len(double) / len(usual) == pytest.approx(2, rel=0.05)
    assert median(each.minutes for each in double) == pytest.approx(median(each.minutes for each in usual), rel=0.05)


def test_two_providers_fail_together_as_often_as_they_did() -> None:
    """Published (§4.2): open 4.7 % and 2.2 % of the time, both 0.177 %, more than independence would have."""
    years = [both_open(a_year("openai", seed), a_year("anthropic", seed + 500)) for seed in range(100)]
    first, second, both = (mean(spent) / (DAYS * DAY) for spent in zip(*years, strict=True))

    assert first == pytest.approx(0.047, rel=0.25)
    assert second == pytest.approx(0.022, rel=0.25)
    assert both == pytest.approx(0.00177, rel=0.25)
    assert both > 1.2 * first * second


def test_overlaps_are_counted_once() -> None:
    """By hand: 0..60 and 30..90 are open for 90 s; 80..140 of the other meets 10 s of it."""
    mine = [PostedIncident(0.0, 1.0, "minor", ("api",)), PostedIncident(30.0, 1.0, "minor", ("api",))]

    assert both_open(mine, [PostedIncident(80.0, 1.0, "minor", ("api",))]) == (90.0, 60.0, 10.0)
