"""What outages were for those that they could reach: two prompts a second, the blackout from 100 to 200 s of 400."""

from collections.abc import Sequence

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.outage_spans import outages_of
from mockbot.evidence.records import Action, Attempt, Prompt
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import (
    AFTER,
    CALM,
    FAULT,
    OUTAGE,
    actions,
    attempt,
    evidence,
    measured,
    prompt,
    scenario,
    steady,
)

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


def test_without_an_outage_there_is_nothing_to_recover_from() -> None:
    """A plain load test."""
    told = scenario(phases=[CALM], expect=[])

    names = ("recovery_time", "first_success", "affected_recovery", "time_to_detect")

    assert {taken(name, steady(0, 100), of=told, did=()) for name in names} == {
        Undefined("nothing went wrong in this run")
    }


def test_a_baseline_of_a_few_prompts_is_none() -> None:
    """19 prompts before it are too few."""
    journal = [*steady(80, 89.5), *down(100, 200), *steady(200, 400)]

    assert taken("recovery_time", journal) == Undefined("the baseline of patient has 19 prompts, and 20 are needed")


def test_a_small_group_is_looked_at_in_longer_windows() -> None:
    """One prompt every 2 s is five in 10 s, too few: windows are as long as 20 prompts take, 40 s."""
    calm = steady(0, 100, each=2.0)
    journal = [*calm, *down(100, 200), prompt(200.0, 5.0, "gave_up"), *steady(202, 400, each=2.0)]

    assert taken("recovery_time", journal) == Known(0)  # 19 of 20 are the 95 % that are asked for


def test_the_worst_group_is_unknown_where_one_has_too_small_a_baseline() -> None:
    """Patient users are well at once; hasty ones, who asked 7 times in the baseline, never are."""
    hasty = [prompt(10.0 * n, group="hasty") for n in range(10)]
    lost = [prompt(100 + 10.0 * n, 5.0, "gave_up", group="hasty") for n in range(30)]
    journal = [*CALM_AND_DOWN, *steady(200, 400), *hasty, *lost]

    why = "the baseline of hasty has 7 prompts, and 20 are needed"
    assert taken("recovery_time", journal) == Beyond(0, why)
    assert taken("down_for", journal) == Beyond(100, why)
    assert taken("affected_recovery", journal) == Known(0)  # which needs no baseline


def test_a_crowd_that_has_become_smaller_is_well_when_it_is_answered() -> None:
    """A fifth of the users come back after the outage and ask every 2.5 s: no less than they would in the calm.

    20 of their prompts take 50 s. Where hardly one of them asks, they are stuck as others are.
    """
    told = scenario(phases=[CALM, OUTAGE, {**AFTER, "users": 10}], expect=[])
    ramp = scenario(phases=[CALM, OUTAGE, {**AFTER, "users": "50 -> 10"}], expect=[])
    few = [*CALM_AND_DOWN, *steady(200, 400, each=2.5)]

    assert taken("recovery_time", few, of=told) == Known(0)
    assert taken("down_for", few, of=told) == Known(100)
    assert taken("recovery_time", few, of=ramp) != Known(0)
    assert taken("recovery_time", few) == Beyond(191, "the run ended before it had been well for long enough")
    assert taken("recovery_time", [*CALM_AND_DOWN, *steady(200, 400, each=9.0)], of=told) != Known(0)


def test_an_outage_that_is_shorter_than_a_look_at_it_was_not_seen() -> None:
    """A prompt every 4 s makes windows of 80 s; the run ends 60 s after the begin. Nobody was down for 0 s."""
    told = scenario(
        phases=[{**CALM, "lasts": "200s"}, phase("blackout", "40s", CRASH), phase("after", "20s")], expect=[]
    )
    journal = [*steady(0, 200, each=4.0), *steady(200, 260, each=4.0, took=5.0, settled="gave_up")]

    value = taken("down_for", journal, actions(begin=200.0, end=240.0), of=told)

    assert value == Beyond(0, "the run ended before it had been well for long enough")


def test_detection_is_the_first_failure_that_a_client_saw() -> None:
    """An attempt failed at 103 s, its prompt only at 130 s."""
    journal: list[Attempt | Prompt] = [
        *steady(0, 100),
        attempt(101.0, 2.0, "timeout", of="slow"),
        prompt(101.0, 29.0, "gave_up", name="slow"),
    ]

    assert taken("time_to_detect", journal) == Known(3.0)


def test_a_fault_that_no_client_noticed_was_not_detected() -> None:
    """Until the end of the run nothing failed: there is no moment at which it was seen."""
    assert taken("time_to_detect", steady(0, 400)) == Undefined("no client saw a failure")


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

    assert value == Beyond(0.0, "what was wrong lasted to the end of what was observed")


def surge(**crowd: object) -> Scenario:
    phases = [CALM, {"name": "surge", "lasts": "60s", "users": 150}, {"name": "after", "lasts": "200s", "users": 50}]
    return scenario(phases=phases, expect=[], **crowd)


def test_a_surge_is_an_outage_like_a_fault() -> None:
    """Three times the users from 100 to 160 s."""
    disturbance = outages_of(Timeline(surge())).whole

    assert (disturbance.begin, disturbance.clear, disturbance.baseline) == (100.0, 160.0, (25.0, 100.0))


def test_the_baseline_leaves_the_warm_up_out() -> None:
    """A quarter of its phase, and a minute at most."""
    long = Timeline(scenario(phases=[CALM | {"lasts": "10m"}, OUTAGE], expect=[]))

    assert outages_of(long).whole.baseline == (60.0, 600.0)


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

    assert outages_of(Timeline(told)).whole.baseline is None


def test_flapping_ends_with_its_last_end() -> None:
    """The clear is the last confirmed end, the begin the first confirmed begin."""
    did = (
        *actions(begin=101.0, end=120.0),
        *actions(begin=150.0, end=190.0),
        Action(FAULT, "end", 200, 200, None, "no"),
    )

    disturbance = outages_of(Timeline(scenario()), did).whole

    assert (disturbance.begin, disturbance.clear) == (101.0, 190.0)


def begins_and_clears(told: Scenario, group: str = "patient") -> list[tuple[float, float]]:
    return [(outage.begin, outage.clear) for outage in outages_of(Timeline(told)).by_group[group]]


def phase(name: str, lasts: str, *faults: object) -> dict[str, object]:
    return {"name": name, "lasts": lasts, "faults": list(faults)}


CRASH = {"http_error": 503}
TWO_PROVIDERS: dict[str, object] = {"main": {"slots": 10}, "other": {"slots": 10}}


def test_stretches_with_calm_between_them_are_outages_of_their_own() -> None:
    """Two faults a minute apart are two outages; 20 s apart they are one, for no recovery could be shown between."""
    apart = scenario(phases=[CALM, phase("a", "50s", CRASH), phase("b", "60s"), phase("c", "50s", CRASH), AFTER])
    close = scenario(phases=[CALM, phase("a", "50s", CRASH), phase("b", "20s"), phase("c", "50s", CRASH), AFTER])

    assert begins_and_clears(apart) == [(100, 150), (210, 260)]
    assert begins_and_clears(close) == [(100, 220)]


def test_a_surge_beside_a_fault_is_one_outage_with_it() -> None:
    """The fault from 100 to 150 s, three times the users from 150 to 200 s."""
    told = scenario(
        phases=[CALM, phase("a", "50s", CRASH), {**phase("b", "50s"), "users": 150}, {**AFTER, "users": 50}]
    )

    (outage,) = outages_of(Timeline(told)).by_group["patient"]

    assert (outage.begin, outage.clear, outage.causes) == (100, 200, ("a.0.http_error", "b"))


def test_a_crowd_that_stays_large_is_the_new_normal() -> None:
    """It doubles from 100 to 200 s and stays: the surge ends with the growth."""
    told = scenario(phases=[CALM, {**phase("rush", "100s"), "users": "50 -> 100"}, {"name": "more", "lasts": "200s"}])

    assert begins_and_clears(told) == [(100, 200)]


def test_a_flapping_fault_ends_when_it_goes_off_for_the_last_time() -> None:
    """On at 100 and 160 s for 15 s each; its span ends at 220 s."""
    flapping = {**CRASH, "flap": {"period": "60s", "duty": "25%"}}

    assert begins_and_clears(scenario(phases=[CALM, phase("flaps", "120s", flapping), AFTER])) == [(100, 175)]


def test_a_fault_is_an_outage_only_of_those_that_it_can_reach() -> None:
    """By provider and tier; also those whose provider gets the requests of clients that fall over."""
    crowd = {
        "own": {"users": "25%", "policy": "once"},
        "paying": {"users": "25%", "policy": "once", "tier": "plus"},
        "apart": {"users": "25%", "policy": "once", "uses": "other"},
        "leaving": {"users": "25%", "policy": {"name": "backoff"}, "falls_over_to": "other"},
    }
    free_only = phase("bad", "50s", {**CRASH, "on": "main", "tier": "free"})
    with_leaving = scenario(providers=TWO_PROVIDERS, crowd=crowd, phases=[CALM, free_only, AFTER])
    stay = {name: group for name, group in crowd.items() if name != "leaving"} | {"free": crowd["own"]}
    without = scenario(providers=TWO_PROVIDERS, crowd=stay, phases=[CALM, free_only, AFTER])

    assert {name for name, outages in outages_of(Timeline(with_leaving)).by_group.items() if outages} == {
        "own",
        "leaving",
        "apart",
    }
    assert {name for name, outages in outages_of(Timeline(without)).by_group.items() if outages} == {"own", "free"}


def test_down_for_lasts_from_the_first_bad_window_to_the_first_of_the_good_ones() -> None:
    """Well for 20 s of the blackout (100 to 120 s), bad until 237 s: 117 s, though it took 37 s to recover."""
    journal = [*steady(0, 120), *down(120, 237), *steady(237, 400)]

    # The first window with more than 5 % of failures, 1.05 of 20 prompts, begins 9 s before the first failure.
    assert taken("down_for", journal) == Known(237 - 111)


def test_times_down_within_one_outage_add_up() -> None:
    """Bad from 100 to 120 and from 160 to 180 s, well in between for longer than the hold."""
    journal = [*steady(0, 100), *down(100, 120), *steady(120, 160), *down(160, 180), *steady(180, 400)]

    assert taken("down_for", journal) == Known(20 + 29)  # the second stretch begins with the window from 151 s


def test_who_is_never_down_was_down_for_nothing() -> None:
    """The fault hit others."""
    assert taken("down_for", steady(0, 400)) == Known(0)


def test_a_group_that_never_came_back_is_not_saved_by_a_later_outage_elsewhere() -> None:
    """Patient users are stuck from the crash of main at 100 s on; at 300 s other, which they never ask, blips."""
    crowd = {
        "patient": {"users": "50%", "policy": "backoff", "patience": "60s"},
        "hasty": {"users": "50%", "policy": "refresh", "tier": "plus", "patience": "60s", "uses": "other"},
    }
    told = scenario(
        providers=TWO_PROVIDERS,
        crowd=crowd,
        phases=[
            CALM,
            phase("crash", "50s", CRASH),
            phase("calm", "150s"),
            phase("blip", "20s", {**CRASH, "on": "other"}),
            phase("after", "180s"),
        ],
        expect=[],
    )
    did = (
        *actions("crash.0.http_error", begin=100.0, end=150.0),
        *actions("blip.0.http_error", begin=300.0, end=320.0),
    )
    hasty = [*steady(0, 300, group="hasty"), *steady(300, 320, took=5.0, settled="gave_up", group="hasty")]
    journal = [*steady(0, 100), *down(100, 500), *hasty, *steady(320, 500, group="hasty")]

    assert taken("recovery_time", journal, did, of=told) == Beyond(
        341, "the run ended before it had been well for long enough"
    )
    assert taken("down_for", journal, did, of=told) == Beyond(
        391, "the run ended before it had been well for long enough"
    )
    assert measured(count_run(evidence(journal, did=did, of=told)), Scope(group="hasty"))["down_for"] == Known(20)


def test_a_group_that_is_down_when_the_next_outage_begins_is_down_in_both() -> None:
    """Bad from 100 s, through the second fault from 200 to 250 s, until 260 s: the first lasted 160 s for them."""
    told = scenario(
        phases=[CALM, phase("a", "50s", CRASH), phase("b", "50s"), phase("c", "50s", CRASH), phase("d", "150s")],
        expect=[],
    )
    did = (*actions("a.0.http_error", begin=100.0, end=150.0), *actions("c.0.http_error", begin=200.0, end=250.0))
    journal = [*steady(0, 100), *down(100, 260), *steady(260, 400)]

    assert taken("down_for", journal, did, of=told) == Known(160)
    assert taken("recovery_time", journal, did, of=told) == Known(110)  # from the first clear at 150 s


def test_the_status_page_acknowledges_an_outage_when_it_admits_it() -> None:
    """Posts at 130 s; "monitoring" and "scheduled" admit nothing; a page that says so before is there at once."""

    def page(*updates: tuple[str, str]) -> Scenario:
        return scenario(status_page=[{"at": at, "state": state} for at, state in updates])

    def acknowledged(told: Scenario) -> Value:
        return taken("time_to_acknowledge", CALM_AND_DOWN, of=told)

    assert acknowledged(page(("blackout+30s", "investigating"), ("blackout+60s", "monitoring"))) == Known(30)
    assert acknowledged(page(("50s", "scheduled"), ("blackout", "in_progress"))) == Known(0)
    assert acknowledged(page(("90s", "investigating"))) == Known(0)
    assert acknowledged(page(("90s", "monitoring"))) == Beyond(300, "the status page never admitted it")
    assert acknowledged(scenario()) == Undefined("the scenario has no status page")


def test_affected_prompts_are_counted_answered_and_given_up_apart() -> None:
    """Of 10 prompts of the blackout 4 were answered in the end and 5 given up; one is still waiting."""
    answered = [prompt(100.0 + n, 150.0) for n in range(4)]
    given_up = [prompt(110.0 + n, 5.0, "gave_up") for n in range(5)]
    waiting = [prompt(150.0, 250.0, "unfinished")]

    value = taken("affected_gave_up", [*steady(0, 100), *answered, *given_up, *waiting])

    assert value == Known(5 / 9)
