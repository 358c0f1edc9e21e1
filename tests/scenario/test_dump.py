"""A scenario written out is the same scenario when it is read again."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.schema import Scenario
from tests.scenario.build import FILE, scenario


@pytest.mark.parametrize("name", names())
def test_a_bundled_scenario_survives_being_written_out(name: str) -> None:
    """The resolved scenario in a run folder is what was run."""
    read = load_scenario(find(name))

    assert read_scenario(scenario_yaml(read)) == read
    assert Scenario.model_validate_json(read.model_dump_json()) == read


def test_the_order_of_providers_survives() -> None:
    """The first one is the one that is meant when none is named."""
    made = scenario(providers={"zeta": {}, "alpha": {}})

    assert read_scenario(scenario_yaml(made)).first_provider == "zeta"


def test_every_default_is_written_out() -> None:
    """Who reads the file of an old run need not know the defaults of that time."""
    text = scenario_yaml(read_scenario(FILE))

    assert "slo: 1m" in text
    assert "abandoned_work: continues" in text


FAULTS: list[dict[str, object]] = [
    {"http_error": {"status": 503, "retry_after": 12.3, "body": "html"}},
    {"maintenance": {"retry_after": "until_end", "exempt": ["/v1/models"]}},
    {"maintenance": {"retry_after": 1 / 3}},
    {"rate_limited": True},
    {"capacity": "100% -> 12.5%"},
    {"crash": {"warm_up": 7.25}},
    {"shed": {"admit": {"free": "0% -> 100%"}}},
    {"slow": {"factor": 1.7, "first_token": "0s -> 2s"}},
    {"stall": "keepalive"},
    {"cut": {"how": "clean", "after_tokens": 0}},
    {"error_event": "overloaded"},
    {"malformed_event": 2},
    {"blank_answer": True},
    {"down": True},
    {"latency": {"latency": 0.1, "jitter": 0.05}},
    {"bandwidth": 1234.5},
    {"slow_close": 1e-7},
    {"timeout": 0.0},
    {"reset_peer": 0.2},
    {"slicer": {"average_size": 64, "size_variation": 8}},
    {"limit_data": 100},
    {"tls": {"how": "slow", "delay": 1.5}},
]
SECONDS = st.floats(0.001, 10_000, allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(
    fault=st.sampled_from(FAULTS),
    lasts=SECONDS,
    think=SECONDS,
    users=st.integers(0, 10**8),
    speed=st.floats(0.01, 1000),
    title=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30),
    share=st.floats(0.01, 0.99),
)
@example(fault=FAULTS[0], lasts=1.0, think=1.0, users=1, speed=1.0, title="next\x85line\u2028para\u2029", share=0.5)
def test_any_value_survives_being_written_out(
    fault: dict[str, object], lasts: float, think: float, users: int, speed: float, title: str, share: float
) -> None:
    """To the last bit, whatever text or number it is."""
    crowd = {"only": {"users": 1.0, "policy": {"name": "fixed", "wait": think}, "think": think}}
    phases = [{"name": "all", "lasts": lasts, "users": users, "faults": [fault | {"at": lasts * share}]}]
    made = scenario(title=title, speed=speed, crowd=crowd, phases=phases)

    assert read_scenario(scenario_yaml(made)) == made
