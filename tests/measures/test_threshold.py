"""What may be expected of a measure, and when it holds."""

import math
from math import inf

import pytest

from mockbot.measures.table import TABLE
from mockbot.measures.threshold import Threshold, parse_threshold
from mockbot.scenario.schema import Expectation


@pytest.mark.parametrize(
    ("measure", "text", "threshold"),
    [
        ("availability", ">= 99.5%", Threshold(">=", 0.995)),
        ("recovery_time", "<=3m", Threshold("<=", 180)),
        ("goodput", "> 30/m", Threshold(">", 0.5)),
        ("attempts_per_prompt", "< 1.5", Threshold("<", 1.5)),
        ("latency_p95", "<= 1.5x the-calm", Threshold("<=", 1.5, 0.002, "the-calm")),
        ("failed_users", " == 0% ", Threshold("==", 0)),
    ],
)
def test_a_threshold_is_read_in_the_unit_of_its_measure(measure: str, text: str, threshold: Threshold) -> None:
    """Shares in percent, times with a unit, rates per something, numbers plain."""
    assert parse_threshold(measure, text) == threshold


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        ("availability", ">= 99s"),
        ("availability", ">= 0.99"),
        ("recovery_time", "<= 3"),
        ("attempts_per_prompt", "<= 3%"),
        ("attempts_per_prompt", "<= inf"),
        ("goodput", ">= 5"),
    ],
)
def test_a_threshold_in_another_unit_is_refused(measure: str, text: str) -> None:
    """99 seconds of availability is a mistake, not a conversion."""
    with pytest.raises(ValueError, match="does not fit"):
        parse_threshold(measure, text)


@pytest.mark.parametrize("text", ["99%", "=> 99%", "~ 99%", "", ">="])
def test_a_threshold_has_an_operator(text: str) -> None:
    """Which side is good is never guessed."""
    with pytest.raises(ValueError, match=r"write it like '>= 99\.5%'"):
        parse_threshold("availability", text)


def test_what_never_came_is_longer_than_anything() -> None:
    """Not recovered holds "> 5m" and does not hold "<= 5m"."""
    assert parse_threshold("recovery_time", "> 5m").holds(inf)
    assert not parse_threshold("recovery_time", "<= 5m").holds(inf)


@pytest.mark.parametrize(("op", "at"), [("<", False), ("<=", True), ("==", True), (">=", True), (">", False)])
def test_the_boundary_belongs_to_the_operators_that_say_so(op: str, at: bool) -> None:
    """`<= 3` holds at 3, `< 3` does not."""
    assert parse_threshold("attempts_per_prompt", f"{op} 3").holds(3.0) is at


def test_an_expectation_tells_its_thresholds() -> None:
    """Several measures of one scope may stand together."""
    expected = Expectation.model_validate({"phase": "after", "recovery_time": "<= 3m", "availability": ">= 99%"})

    assert expected.thresholds() == (
        (TABLE["availability"], ">= 99%", Threshold(">=", 0.99)),
        (TABLE["recovery_time"], "<= 3m", Threshold("<=", 180)),
    )


@pytest.mark.parametrize(("measured", "met"), [(2.0, True), (2.0039, True), (2.0041, False), (math.inf, False)])
def test_a_percentile_equals_a_threshold_within_its_accuracy(measured: float, met: bool) -> None:
    """A percentile is within 0.2 % of the exact value, so 2.0039 s may be 2 s; a share is exact."""
    assert parse_threshold("latency_p95", "<= 2s").holds(measured) is met
    assert parse_threshold("failed_p50", ">= 20s").holds(19.96)
    assert not parse_threshold("failed_p50", ">= 20s").holds(19.95)
    assert not parse_threshold("latency_p95", "< 2s").holds(1.999)
    assert not parse_threshold("availability", ">= 99.5%").holds(0.9949)
