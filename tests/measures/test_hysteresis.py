"""The hysteresis margin worked out on paper: a load that rises and falls in steps, and two ways to come back."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.records import Prompt, ServiceSecond
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known, Undefined, Value
from tests.evidence.build import evidence, measured, scenario, steady

STEPS = (2.0, 6.0, 10.0, 6.0, 2.0)  # prompts per second, 100 s each; 10 slots at 1 s an answer can give 10/s
SECONDS = [ServiceSecond(t, "main", 2, 2, finished=2, work=2.0, capacity=10.0) for t in range(500)]


def number(value: Value) -> float:
    assert isinstance(value, Known)
    return value.number


def margin(ill: tuple[float, float], steps: Sequence[float] = STEPS) -> Value:
    """Of a run in which everything that was asked from one moment to another was given up."""
    ramp = scenario(
        crowd={"patient": {"arrivals": "100%", "policy": "backoff", "patience": "60s"}},
        phases=[{"name": f"step-{n}", "lasts": "100s", "arrivals": f"{rate:g}/s"} for n, rate in enumerate(steps)],
        expect=[],
    )
    asked = [each for n, rate in enumerate(steps) for each in steady(100.0 * n, 100.0 * (n + 1), each=1 / rate)]
    told = [_given_up(each) if ill[0] <= each.intended < ill[1] else each for each in asked]
    return measured(count_run(evidence(told, SECONDS, of=ramp, did=())), Scope())["hysteresis"]


def _given_up(prompt: Prompt) -> Prompt:
    return replace(prompt, settled="gave_up", provider=None)


def test_a_service_that_is_well_where_it_broke_has_none() -> None:
    """It breaks at 10/s and is well as soon as the load is at 6/s: 4 of 10."""
    assert number(margin((200.0, 300.0))) == pytest.approx(0.4)


def test_one_that_must_be_left_alone_has_more() -> None:
    """It breaks at 10/s and stays broken at 6/s, at which it had been well: hysteresis 0.8."""
    assert number(margin((200.0, 400.0))) == pytest.approx(0.8)


def test_one_that_is_well_at_less_than_the_load_of_the_calm_is_well() -> None:
    """It breaks at 10/s and comes back at 0.5/s, a quarter of the baseline's load: 9.5 of 10."""
    assert number(margin((200.0, 400.0), (2.0, 6.0, 10.0, 6.0, 0.5))) == pytest.approx(0.95)


def test_one_that_stays_broken_at_a_load_it_could_carry_is_told_as_a_bound() -> None:
    """The run ends at 2/s, and even there it was not well."""
    value = margin((200.0, 500.0))

    assert isinstance(value, Beyond)
    assert value.bound == pytest.approx(0.8)
    assert value.why == "the run ended before it was well, at any load it tried"


def test_what_never_broke_has_no_margin() -> None:
    """20 bad seconds are no collapse, since it has to last for 30 s."""
    why = "it never collapsed, so that there is nothing to recover from"

    assert (margin((0.0, 0.0)), margin((200.0, 220.0))) == (Undefined(why), Undefined(why))


def test_the_load_of_a_closed_crowd_is_its_users_over_their_cycle() -> None:
    """20 users who think for 9 s and wait for 1 s ask 2/s; 100 of them 10/s, which is what broke it."""
    told = scenario(
        crowd={"patient": {"users": "100%", "policy": "backoff", "think": "9s", "patience": "60s"}},
        phases=[{"name": f"step-{n}", "lasts": "100s", "users": round(10 * rate)} for n, rate in enumerate(STEPS)],
        expect=[],
    )
    asked = [each for n, rate in enumerate(STEPS) for each in steady(100.0 * n, 100.0 * (n + 1), each=1 / rate)]
    prompts = [_given_up(each) if 200 <= each.intended < 400 else each for each in asked]

    value = measured(count_run(evidence(prompts, SECONDS, of=told, did=())), Scope())["hysteresis"]

    assert number(value) == pytest.approx(0.8)


def test_where_a_fault_helped_it_is_not_the_load() -> None:
    """The blackout of the usual run."""
    value = measured(count_run(evidence(steady(0, 400))), Scope())["hysteresis"]

    assert value == Undefined("a fault was in it, so that the load alone did not decide")


def test_a_group_has_no_load_of_its_own() -> None:
    """The load is that of all groups together."""
    value = measured(count_run(evidence(steady(0, 400))), Scope(group="patient"))["hysteresis"]

    assert value == Undefined("is about the load of the whole run")
