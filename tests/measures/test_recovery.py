"""The moments around a disturbance: two prompts a second, the blackout from 100 to 200 s, observed until 400 s."""

from collections.abc import Sequence

import pytest

from mockbot.evidence.disturbance import disturbance_of
from mockbot.evidence.records import Action, Attempt, Prompt
from mockbot.evidence.run_counters import count_run
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import CALM, FAULT, OUTAGE, actions, attempt, evidence, measured, prompt, scenario, steady

CALM_AND_DOWN = [*steady(0, 100), *steady(100, 200, took=5.0, settled="gave_up")]


def down(start: float, end: float) -> list[Prompt]:
    return steady(start, end, took=5.0, settled="gave_up")


def taken(name: str, requests: Sequence[Attempt | Prompt], did: Sequence[Action] | None = None, **how: object) -> Value:
    run = evidence(requests, did=did, **how)  # type: ignore[arg-type]
    return measured(count_run(run), Scope())[name]


def test_recovery_is_the_first_second_from_which_it_stays_well() -> None:
    """Bad for 37 s after the clear and well from then on."""
    journal = [*CALM_AND_DOWN, *down(200, 237), *steady(237, 400)]

    assert taken("recovery_time", journal) == Known(37)


def test_nothing_to_recover_from_takes_no_time() -> None:
    """Well from the first second after the clear."""
    assert taken("recovery_time", [*CALM_AND_DOWN, *steady(200, 400)]) == Known(0)


def test_a_short_relief_is_no_recovery() -> None:
    """Well for 25 s, bad again for 15, then well: the hold of 30 s was not met the first time."""
    journal = [*CALM_AND_DOWN, *steady(200, 225), *down(225, 240), *steady(240, 400)]

    assert taken("recovery_time", journal) == Known(40)


def test_a_window_in_which_everybody_is_stuck_is_not_well() -> None:
    """All users wait for 60 s, so nothing is asked and nothing fails: undefined is bad."""
    journal = [*CALM_AND_DOWN, *steady(260, 400)]

    assert taken("recovery_time", journal) == Known(55)  # the first window with half of the usual prompts


def test_a_run_whose_users_stay_stuck_never_recovers() -> None:
    """No user asks anything any more: censored."""
    value = taken("recovery_time", CALM_AND_DOWN)

    assert value == Beyond(191, "the run ended before it had been well for long enough")


def test_a_recovery_that_the_run_did_not_live_to_see_is_censored() -> None:
    """Bad until 30 s before the end: it takes at least that long."""
    journal = [*CALM_AND_DOWN, *down(200, 380), *steady(380, 400)]

    value = taken("recovery_time", journal)

    assert value == Beyond(180, "the run ended before it had been well for long enough")


def test_well_means_as_well_as_before() -> None:
    """A tenth of the prompts fails before and after: that is this run's normal."""
    flaky = [prompt(n / 2, settled="gave_up" if n % 10 == 0 else "answered") for n in range(800) if not 200 <= n < 400]

    assert taken("recovery_time", [*flaky, *down(100, 200)]) == Known(0)


def test_the_clear_is_when_the_fault_was_really_gone() -> None:
    """The end was confirmed 15 s late: what failed until then is the fault's."""
    did = actions(end=215.0)
    journal = [*CALM_AND_DOWN, *down(200, 215), *steady(215, 400)]

    assert taken("recovery_time", journal, did) == Known(0)
    assert taken("recovery_time", journal) == Known(15)


def test_without_a_calm_phase_before_it_there_is_no_recovery_time() -> None:
    """The run begins with the fault: nothing to compare with, and an aftermath is no baseline."""
    told = scenario(phases=[OUTAGE | {"users": 50}, {"name": "after", "lasts": "200s"}], expect=[])

    value = taken("recovery_time", [*down(0, 100), *steady(100, 300)], of=told, did=actions(begin=0.0, end=100.0))

    assert isinstance(value, Undefined)


def test_without_a_disturbance_there_is_nothing_to_recover_from() -> None:
    """A plain load test."""
    told = scenario(phases=[CALM], expect=[])

    names = ("recovery_time", "first_success", "affected_recovery", "time_to_detect")

    assert {taken(name, steady(0, 100), of=told, did=()) for name in names} == {
        Undefined("nothing went wrong in this run")
    }


def test_a_baseline_of_a_few_prompts_is_none() -> None:
    """19 prompts before it are too few."""
    journal = [*steady(80, 89.5), *down(100, 200), *steady(200, 400)]

    assert taken("recovery_time", journal) == Undefined("the baseline has 19 prompts, and 20 are needed")


def test_a_small_group_is_looked_at_in_longer_windows() -> None:
    """One prompt every 2 s is five in 10 s, too few: windows are as long as 20 prompts take, 40 s."""
    calm = steady(0, 100, each=2.0)
    journal = [*calm, *down(100, 200), prompt(200.0, 5.0, "gave_up"), *steady(202, 400, each=2.0)]

    assert taken("recovery_time", journal) == Known(0)  # 19 of 20 are the 95 % that are asked for


def test_detection_is_the_first_failure_that_a_client_saw() -> None:
    """An attempt failed at 103 s, its prompt only at 130 s."""
    journal: list[Attempt | Prompt] = [
        *steady(0, 100),
        attempt(101.0, 2.0, "timeout", of="slow"),
        prompt(101.0, 29.0, "gave_up", name="slow"),
    ]

    assert taken("time_to_detect", journal) == Known(3.0)


def test_a_fault_that_no_client_noticed_was_not_detected() -> None:
    """Until the end of the run nothing failed: 300 s at least."""
    assert taken("time_to_detect", steady(0, 400)) == Beyond(300.0, "no client saw a failure")


def test_the_first_success_is_of_a_prompt_issued_after_the_clear() -> None:
    """The answer at 201 s is to a prompt of the blackout; the first new one is answered at 212 s."""
    journal = [*CALM_AND_DOWN, prompt(199.9, 1.1), *down(200, 210), prompt(210.0, 2.0), *steady(211, 400)]

    assert taken("first_success", journal) == Known(12.0)


def test_no_success_after_the_clear_is_censored() -> None:
    """Observed for 200 s."""
    value = taken("first_success", [*CALM_AND_DOWN, *down(200, 395)])

    assert value == Beyond(200.0, "no prompt issued after the clear was good")


def test_affected_recovery_ends_when_95_percent_of_the_affected_prompts_are_over() -> None:
    """Of 20 prompts of the blackout 18 were over before its end, one 40 s after it and one 80 s after it."""
    affected = [*down(100, 109), prompt(190.0, 50.0, "answered"), prompt(191.0, 89.0, "gave_up")]

    value = taken("affected_recovery", [*steady(0, 100), *affected])

    assert isinstance(value, Known)
    assert value.number == pytest.approx(40.0, rel=0.003)


def test_affected_prompts_that_are_pending_at_the_end_are_censored() -> None:
    """A tenth of them is pending at the end."""
    stuck = [prompt(150.0 + n, 250.0 - n, "unfinished") for n in range(2)]

    value = taken("affected_recovery", [*steady(0, 100), *down(100, 109), *stuck])

    assert value == Beyond(200.0, "more than 5 % of what was asked during it was never over")


def test_a_fault_that_lasts_to_the_end_leaves_nothing_to_measure() -> None:
    """No second was observed after the clear."""
    told = scenario(phases=[CALM, OUTAGE], expect=[])

    value = taken("recovery_time", CALM_AND_DOWN, of=told)

    assert value == Undefined("what was wrong lasted to the end of what was observed")


def surge(**crowd: object) -> Scenario:
    phases = [CALM, {"name": "surge", "lasts": "60s", "users": 150}, {"name": "after", "lasts": "200s", "users": 50}]
    return scenario(phases=phases, expect=[], **crowd)


def test_without_a_fault_the_surge_is_the_disturbance() -> None:
    """Three times the users from 100 to 160 s."""
    disturbance = disturbance_of(Timeline(surge()), ())

    assert (disturbance.begin, disturbance.clear, disturbance.baseline) == (100.0, 160.0, (25.0, 100.0))


def test_the_baseline_leaves_the_warm_up_out() -> None:
    """A quarter of its phase, and a minute at most."""
    long = Timeline(scenario(phases=[CALM | {"lasts": "10m"}, OUTAGE], expect=[]))

    assert disturbance_of(long, ()).baseline == (60.0, 600.0)


def test_a_fault_that_reaches_into_the_next_phase_makes_that_phase_no_baseline() -> None:
    """The first phase without a fault is the third."""
    told = scenario(
        phases=[
            {"name": "bad", "lasts": "50s", "users": 50, "faults": [{"http_error": 503, "lasts": "60s"}]},
            {"name": "still", "lasts": "50s"},
            {"name": "calm", "lasts": "50s"},
        ],
        expect=[],
    )

    assert disturbance_of(Timeline(told), ()).baseline is None


def test_flapping_ends_with_its_last_end() -> None:
    """The clear is the last confirmed end, the begin the first confirmed begin."""
    did = (
        *actions(begin=101.0, end=120.0),
        *actions(begin=150.0, end=190.0),
        Action(FAULT, "end", 200, 200, None, "no"),
    )

    disturbance = disturbance_of(Timeline(scenario()), did)

    assert (disturbance.begin, disturbance.clear) == (101.0, 190.0)
