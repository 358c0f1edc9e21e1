"""What a simulated client sees of a broken wire is what a live one sees through the proxy."""

from typing import Any

import pytest

from tests.simulate.build import live_through, scenario


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"down": True}, "refused"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "3s"}, "reset"),
        ({"timeout": 0, "stream": "upstream"}, "timeout"),
        ({"reset_peer": "1s"}, "reset"),
        ({"reset_peer": "1s", "stream": "upstream"}, "reset"),
        ({"limit_data": 1500}, "reset"),
        ({"latency": "25s"}, "timeout"),
        ({"crash": True}, "reset"),
        ({"bandwidth": "1000/s"}, "ok"),
        ({"slicer": {"average_size": 64, "delay": "10ms"}}, "ok"),
        ({"slow_close": "1s"}, "ok"),
    ],
)
def test_a_broken_wire_shows_in_the_outcome(fault: dict[str, Any], outcome: str) -> None:
    """Attempts sent while it holds end as they would through Toxiproxy; before and after all is well."""
    lived = live_through(scenario([fault]))

    assert lived.outcomes(0, 75) == {"ok"}
    assert lived.outcomes(101, 175) == {outcome}
    assert lived.outcomes(201, 280) == {"ok"}
