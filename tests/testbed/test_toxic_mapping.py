"""Wire faults become toxics in Toxiproxy's units."""

import pytest

from mockbot.clock import Clock
from mockbot.faults.union import WIRE_FAULTS, FaultBase
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import ActiveFault, Timeline
from mockbot.testbed.toxic_mapping import toxic_of

CASES = {
    "latency": ({"latency": "300ms", "jitter": "100ms"}, {"latency": 30, "jitter": 10}),
    "bandwidth": ("2000/s", {"rate": 20}),
    "slow_close": ("2s", {"delay": 200}),
    "timeout": ("0s", {"timeout": 0}),
    "reset_peer": ("1ms", {"timeout": 1}),
    "slicer": (
        {"average_size": 10, "size_variation": 3, "delay": "1ms"},
        {"average_size": 10, "size_variation": 3, "delay": 100},
    ),
    "limit_data": (500, {"bytes": 500}),
}


def _active(kind: str, value: object) -> ActiveFault:
    scenario = Scenario.model_validate(
        {
            "name": "wire",
            "title": "wire",
            "providers": {"main": {}},
            "crowd": {"all": {"users": "100%", "policy": "once"}},
            "phases": [
                {
                    "name": "bad",
                    "lasts": "10s",
                    "users": 1,
                    "faults": [{kind: value, "share": "25%", "stream": "upstream"}],
                }
            ],
        }
    )
    return Timeline(scenario).at(5.0).faults[0]


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_at_speed_ten_becomes_a_ten_times_shorter_toxic(kind: str) -> None:
    """Delays shrink by the speed, bandwidth grows by it, sizes stay; a wait that is not zero never becomes zero."""
    value, expected = CASES[kind]

    toxic = toxic_of(_active(kind, value), Clock(t0=0.0, speed=10.0))

    assert (toxic.type, toxic.stream, toxic.toxicity, dict(toxic.attributes)) == (kind, "upstream", 0.25, expected)


def test_every_wire_fault_but_down_is_a_toxic() -> None:
    """A fault that is added to the language without a toxic is noticed here."""
    kinds: set[type[FaultBase]] = set(WIRE_FAULTS)

    assert {fault.kind for fault in kinds} == {"down", *CASES}
