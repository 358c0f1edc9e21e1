"""Where not all users of a crowd are recorded, every output says of how many its figures are."""

from mockbot.evidence.sampling import sampled_text
from mockbot.scenario.timeline import Timeline
from tests.simulate.build import scenario


def test_a_sample_is_named_with_its_error() -> None:
    """20 users of which one in ten is recorded: two, whose share of 50 % is off by 1.96 sqrt(.25 / 2) = 69 points."""
    text = "figures of 2 sampled users of 20, sampling error of a share up to ± 69.3 points"

    assert sampled_text(10, Timeline(scenario())) == text
    assert sampled_text(1, Timeline(scenario())) == ""
