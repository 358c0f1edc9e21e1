"""What people write for durations, shares, rates and counts, and that it is written back without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mockbot.scenario.policies import Backoff
from mockbot.units import quantities
from mockbot.units.quantities import IN_A_FILE, Ramp
from tests.scenario.build import VALUES, scenario


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1m30s", 90), ("300ms", 0.3), ("2h", 7200), ("1h1m1s1ms", 3661.001), ("0.5s", 0.5), (" 5s ", 5)],
)
def test_durations_are_read_in_seconds(text: str, seconds: float) -> None:
    """Hours, minutes, seconds and milliseconds, in any combination."""
    assert quantities.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["5", "5 s", "-5s", "1d", "s", "", "5s 3", "1e3s", "٣s", 5, None, True, "1.s", "9" * 16 + "s"]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """A number alone is none (30 of what?), nor is anything else without a unit."""
    with pytest.raises(ValueError, match="is not a duration"):
        quantities.parse_duration(text)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0%", 0), ("100%", 1), ("99.5 %", 0.995), ("33.3%", 0.333)])
def test_shares_are_read_as_parts_of_one(text: str, share: float) -> None:
    """Exactly the float that Python writes for the same decimals."""
    assert quantities.parse_share(text) == share


@pytest.mark.parametrize(("text", "rate"), [("20/s", 20), ("60/m", 1), ("1000 / h", 1000 / 3600), ("0.5/s", 0.5)])
def test_rates_are_read_per_second(text: str, rate: float) -> None:
    """Per second, minute or hour."""
    assert quantities.parse_rate(text) == rate


@pytest.mark.parametrize("text", ["20", "20/d", "20/s/s", "-1/s", 20, None, "fast"])
def test_what_is_no_rate_is_refused(text: object) -> None:
    """A rate says per what."""
    with pytest.raises(ValueError, match="is not a rate"):
        quantities.parse_rate(text)


@pytest.mark.parametrize("text", ["", "2.5", -1, 2.5, True, "²", None, "ten"])
def test_what_is_no_number_of_users_is_refused(text: object) -> None:
    """People are whole."""
    with pytest.raises(ValueError, match="is not a number of users"):
        quantities.parse_count(text)


def test_more_users_than_anyone_can_simulate_are_refused() -> None:
    """A slip of the finger is no load test."""
    with pytest.raises(ValueError, match="at most 100,000,000"):
        quantities.parse_count(10**12)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.3, "300ms"), (1.0, "1s"), (90.0, "1m30s"), (3600.0, "1h"), (1.5, "1.5s"), (1e-7, "0.0001ms")],
)
def test_durations_are_written_as_people_would(seconds: float, text: str) -> None:
    """The shortest way with all its digits."""
    assert quantities.duration_text(seconds) == text


@given(st.floats(0, 1e7, allow_nan=False))
def test_a_duration_is_read_back_exactly(seconds: float) -> None:
    """Not one bit of a float is lost through a file."""
    assert quantities.parse_duration(quantities.duration_text(seconds)) == seconds


@given(st.floats(0, 1, allow_nan=False, allow_subnormal=False).filter(lambda share: share == 0 or share > 1e-25))
def test_a_share_is_read_back_exactly(share: float) -> None:
    """Likewise."""
    assert quantities.parse_share(quantities.share_text(share)) == share


@given(st.floats(1e-6, 1e9, allow_nan=False))
def test_a_rate_is_read_back_exactly(rate: float) -> None:
    """Likewise, whatever unit it is written in."""
    assert quantities.parse_rate(quantities.rate_text(rate)) == rate


def test_python_may_give_plain_numbers() -> None:
    """Seconds, shares of one and events per second; a file may not."""
    assert Backoff(base=2.5).base == 2.5
    with pytest.raises(ValidationError, match="is not a duration"):
        Backoff.model_validate({"base": 2.5}, context=IN_A_FILE)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), True])
def test_python_may_not_give_any_number(seconds: float) -> None:
    """Time is finite and goes forward."""
    with pytest.raises(ValidationError, match="is not a duration"):
        Backoff(base=seconds)


def test_a_bare_zero_needs_no_unit() -> None:
    """0 is 0 in any unit."""
    assert Backoff.model_validate({"spread": 0}, context=IN_A_FILE).spread == 0


def test_python_may_give_ramps_as_values_or_as_text() -> None:
    """A Ramp is what "10 -> 40" becomes."""
    phases = [{"name": "a", "lasts": 60.0, "users": Ramp(10, 40)}, {"name": "b", "lasts": 60.0, "users": "10 -> 40"}]

    first, second = scenario(phases=phases).phases

    assert first.users == second.users == Ramp(10, 40)


def test_a_ramp_is_a_straight_line_that_stops_at_its_ends() -> None:
    """Half way is half way; before and after it is what it was and what it became."""
    ramp = Ramp(10, 40)

    assert [ramp.at(progress) for progress in (-1, 0, 0.5, 1, 2)] == [10, 10, 25, 40, 40]
    assert ramp.most == Ramp(40, 10).most == 40


def test_what_python_makes_is_checked_like_a_file() -> None:
    """A Scenario with an unknown provider cannot be made, wherever it comes from."""
    with pytest.raises(ValidationError, match="'mian' is not a provider of this scenario; did you mean 'main'"):
        scenario(phases=[{"name": "a", "lasts": 60.0, "users": 1, "faults": [{"on": "mian", "down": True}]}])

    assert scenario().name == VALUES["name"]
