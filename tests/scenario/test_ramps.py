"""What can ramp, and what a file is told that ramps anything else."""

import pytest

from mockbot.errors import ScenarioError
from mockbot.scenario.load import read_scenario

FILE = """name: x
title: x
providers: {{main: {{}}}}
crowd: {{a: {{users: 100%, policy: once}}}}
phases:
  - {{name: a, lasts: 1m, users: 1 -> 5, faults: [{fault}]}}
"""


@pytest.mark.parametrize(
    "fault",
    ["{latency: 0s -> 4s}", "{latency: {latency: 1s, jitter: 0s -> 1s}}", "{bandwidth: 9/s -> 99/s}", "{slow: 1 -> 3}"],
)
def test_what_cannot_ramp_names_what_can(fault: str) -> None:
    """A wire value and a factor are constant while the fault holds."""
    with pytest.raises(ScenarioError, match=r"is a ramp, which this value cannot be; what can ramp: .*first_token"):
        read_scenario(FILE.format(fault=fault))


@pytest.mark.parametrize("fault", ["{capacity: 10% -> 100%}", "{slow: {first_token: 0s -> 2s}}", "{crash: true}"])
def test_what_can_ramp_is_read(fault: str) -> None:
    """As the manual has it."""
    assert read_scenario(FILE.format(fault=fault)).phases[0].users is not None


def test_half_a_ramp_is_told_for_what_it_is() -> None:
    """The end that cannot be read is named, not the ramp."""
    with pytest.raises(ScenarioError, match="'x' is not a share"):
        read_scenario(FILE.format(fault="{http_error: 503, share: 10% -> x}"))
