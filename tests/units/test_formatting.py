"""Numbers as people read them: rounded first, then split."""

import pytest

from mockbot.units.formatting import (
    format_clock,
    format_count,
    format_counted,
    format_duration,
    format_percent,
    format_points,
    format_rate,
    format_share,
    format_wall,
    spell_duration,
)


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (0.0, "0:00.0"),
        (-3.0, "0:00.0"),
        (300.0, "5:00.0"),
        (59.94, "0:59.9"),
        (59.97, "1:00.0"),
        (3599.97, "1:00:00.0"),
        (3725.24, "1:02:05.2"),
    ],
)
def test_a_moment_never_has_sixty_seconds(t: float, text: str) -> None:
    """59.97 s is a minute, and 3,599.97 s an hour."""
    assert format_clock(t, 1) == text


@pytest.mark.parametrize(
    ("t", "text"), [(0, "0:00"), (59.6, "1:00"), (300, "5:00"), (3599.6, "1:00:00"), (7505, "2:05:05")]
)
def test_a_clock_shows_hours_only_when_there_are_some(t: float, text: str) -> None:
    """To the second."""
    assert format_clock(t) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.3123, "312ms"),
        (0.9996, "1s"),
        (59.94, "59.9s"),
        (59.97, "1m00s"),
        (3599.97, "1h00m"),
        (3725, "1h02m"),
    ],
)
def test_a_duration_has_three_digits(seconds: float, text: str) -> None:
    """Whatever its size."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.0, "1 second"),
        (2.5, "2.5 seconds"),
        (40.2, "40 seconds"),
        (2100, "35 minutes"),
        (3599.97, "1 hour"),
        (3900, "1 hour and 5 minutes"),
        (7260, "2 hours and 1 minute"),
    ],
)
def test_a_duration_can_be_spelled(seconds: float, text: str) -> None:
    """For a sentence."""
    assert spell_duration(seconds) == text


def test_a_share_never_looks_better_than_it_is() -> None:
    """Rounded down, or up where less is better; a percentage in a sentence goes to the nearest."""
    assert (format_share(0.99999), format_share(0.00001, up=True)) == ("99.99%", "0.01%")
    assert (format_percent(0.246), format_percent(0.246, 1)) == ("25 %", "24.6 %")


def test_other_numbers_have_their_unit() -> None:
    """Rates, counts, wall time and differences of shares."""
    assert (format_rate(3.2), format_rate(0.0043), format_rate(0.0)) == ("3.2/s", "0.004/s", "0/s")
    assert (format_rate(999.4), format_rate(999.5), format_rate(1234.0)) == ("999/s", "1,000/s", "1,234/s")
    assert (format_points(0.0123), format_points(-0.5), format_points(-0.0)) == ("+1.2", "-50.0", "+0.0")
    assert format_count(12345.0) == "12,345"
    assert [format_wall(each) for each in (0.005, 12.34, 80.0, 1800.0)] == ["0.005 s", "12.3 s", "80 s", "1,800 s"]


@pytest.mark.parametrize(("count", "says"), [(0, "0 times"), (1, "1 time"), (2, "2 times"), (12345, "12,345 times")])
def test_one_is_singular(count: int, says: str) -> None:
    """Not "1 times"."""
    assert format_counted(count, "time") == says
