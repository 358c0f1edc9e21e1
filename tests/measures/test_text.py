"""Numbers as people read them, never better than they were."""

import math

import pytest

from mockbot.measures.text import format_value
from mockbot.measures.values import Beyond, Known, Undefined, Value


@pytest.mark.parametrize(
    ("measure", "value", "words"),
    [
        ("availability", Known(1.0), "100%"),
        ("availability", Known(0.99999), "99.99%"),
        ("availability", Known(0.995), "99.5%"),
        ("availability", Known(0.29), "29%"),
        ("availability", Known(0.00001), "0%"),
        ("wasted_work", Known(0.00001), "0.01%"),
        ("wasted_work", Known(0.0), "0%"),
        ("latency_p95", Known(0.0), "0s"),
        ("latency_p95", Known(0.3123), "312ms"),
        ("latency_p95", Known(0.9996), "1s"),
        ("latency_p95", Known(4.268), "4.27s"),
        ("latency_p95", Known(59.99), "1m00s"),
        ("latency_p95", Known(245.0), "4m05s"),
        ("latency_p95", Known(3725.0), "1h02m"),
        ("latency_p95", Known(math.inf), "never"),
        ("recovery_time", Beyond(540.0, "the run ended"), "> 9m00s"),
        ("recovery_time", Undefined("no baseline"), "-"),
        ("goodput", Known(3.2), "3.2/s"),
        ("attempts_per_prompt", Known(3.0), "3.00"),
        ("prompts", Known(12345.0), "12,345"),
    ],
)
def test_a_value_is_written_in_its_unit(measure: str, value: Value, words: str) -> None:
    """Each kind of value in its unit."""
    assert format_value(measure, value) == words
