"""Wire faults become toxics in Toxiproxy's units."""

import pytest

from mockbot.faults import FAULTS
from mockbot.faults.base import ToxicFault
from mockbot.faults.effects import Toxic
from mockbot.proxy.toxics import EFFECTS
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

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


def _toxic(kind: str, value: object) -> Toxic:
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
    effect = Timeline(scenario).faults[0].fault.effect()
    assert isinstance(effect, Toxic)
    return effect


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_at_speed_ten_becomes_a_ten_times_shorter_toxic(kind: str) -> None:
    """Delays shrink by the speed, bandwidth grows by it, sizes stay; a wait that is not zero never becomes zero."""
    value, expected = CASES[kind]

    toxic = _toxic(kind, value)

    assert (toxic.type, toxic.stream, toxic.attributes(speed=10.0)) == (kind, "upstream", expected)


def test_the_units_of_every_toxic_are_tried_here() -> None:
    """A fault that becomes a toxic is listed above, and the embedded proxy knows that toxic."""
    toxics = {fault.kind for fault in FAULTS if issubclass(fault, ToxicFault)}

    assert toxics == {*CASES}
    assert toxics <= {effect.type for effect in EFFECTS}
