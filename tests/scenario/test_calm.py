"""What a calm is like by its formulas is what a simulation of it measures."""

from statistics import fmean, quantiles

import pytest

from mockbot.evidence.records import Prompt
from mockbot.scenario.calm import calm_of
from mockbot.scenario.schema import Scenario
from mockbot.simulate.simulation import Memory, simulate
from tests.scenario.build import scenario

ANSWER = {"first_token": 1.0, "tokens": {"median": 40, "p95": 150}, "pace": 10.0}
CALM = {"name": "calm", "lasts": 14400.0, "users": 40}


def quiet(**changes: object) -> Scenario:
    """Four hours of forty users, of whom one in ten asks the other provider."""
    groups = {
        "many": {"users": 0.9, "policy": {"name": "once", "timeout": 15}, "think": 50.0, "patience": 15.0},
        "few": {"users": 0.1, "policy": "once", "think": 20.0, "uses": "other"},
    }
    providers = {"main": {"slots": 12, "answer": ANSWER}, "other": {"slots": 4, "answer": ANSWER}}
    return scenario(**{"providers": providers, "crowd": groups, "phases": [CALM], **changes})


def test_the_calm_is_as_a_simulation_has_it() -> None:
    """Load, median and p95 of an answer, and the share that comes too late for its users."""
    made, memory = quiet(), Memory()
    simulate(made, sink=memory.take, engine="reference")

    calm = calm_of(made)

    assert calm is not None
    for name, provider in made.providers.items():
        work = fmean(each.work for each in memory.seconds if each.provider == name and 600 < each.t < 14400)
        assert work / provider.slots == pytest.approx(calm.load[name], rel=0.06)
    prompts = [each for each in memory.requests if isinstance(each, Prompt)]
    took = {name: [each.end - each.intended for each in prompts if each.group == name] for name in made.crowd}
    parts = quantiles(took["few"], n=20)
    assert parts[9] == pytest.approx(calm.p50["other"], rel=0.1)
    assert parts[18] == pytest.approx(calm.p95["other"], rel=0.15)
    late = fmean(each.settled != "answered" for each in prompts if each.group == "many")
    assert late == pytest.approx(calm.late["many"], rel=0.2)


def test_the_calm_is_the_first_phase_without_a_fault() -> None:
    """Where each has one, there is none; and none where nobody asks."""
    down = {"name": "down", "lasts": 60.0, "users": 40, "faults": [{"http_error": 503}]}

    assert calm_of(quiet(phases=[down])) is None
    assert calm_of(quiet(phases=[{**CALM, "users": 0}])) is None
    found = calm_of(quiet(phases=[down, CALM]))
    assert found is not None
    assert found.phase == 1


def test_of_a_provider_that_mockbot_does_not_answer_for_nothing_is_told() -> None:
    """A real one and a recording have their own times."""
    real = {"main": {"slots": 12, "answer": ANSWER}, "other": {"upstream": "real"}}

    found = calm_of(quiet(providers=real))

    assert found is not None
    assert [*found.load] == [*found.p50] == ["main"]
    assert calm_of(quiet(providers={"main": {"replay": True}, "other": {"upstream": "real"}})) is None
