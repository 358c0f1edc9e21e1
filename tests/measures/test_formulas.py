"""Each measure on a journal whose answer was worked out on paper."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.values import Known, Undefined, Value
from tests.evidence.build import attempt, evidence, measured, prompt, scenario, steady


def taken(
    name: str, requests: Sequence[Attempt | Prompt], seconds: Sequence[ServiceSecond] = (), **scope: str | None
) -> Value:
    return measured(count_run(evidence(requests, seconds)), Scope(**scope))[name]


def number(name: str, *about: Any, **scope: str | None) -> float:
    value: Value = taken(name, *about, **cast(dict[str, Any], scope))
    assert isinstance(value, Known), value
    return value.number


TEN = [  # 6 good, 2 answered after the slo of 10 s, 1 given up, 1 cut off by the end of the run
    *steady(0, 6, each=1.0),
    prompt(6.0, 12.0),
    prompt(7.0, 10.5),
    prompt(8.0, 5.0, "gave_up"),
    prompt(9.0, 391.0, "unfinished"),
]


@pytest.mark.parametrize(
    ("name", "expected"), [("prompts", 10), ("answered", 0.8), ("availability", 0.6), ("goodput", 6 / 400)]
)
def test_only_an_answer_in_time_is_good(name: str, expected: float) -> None:
    """Of ten prompts 8 are answered and 6 are answered within the slo, counted from when they were intended."""
    assert number(name, TEN) == pytest.approx(expected)


def test_the_slo_counts_from_the_intended_time() -> None:
    """Sent 9 s late and answered 2 s later is 11 s for the user, and not good."""
    assert number("availability", [prompt(0.0, 11.0, late=9.0)]) == 0.0


def test_a_prompt_belongs_to_the_phase_it_was_intended_in() -> None:
    """Intended in the last second of the calm, given up in the blackout: a failure of the calm only."""
    journal = [*steady(0, 10), prompt(99.0, 30.0, "gave_up")]

    assert number("availability", journal, phase="steady") == pytest.approx(20 / 21)
    assert isinstance(taken("availability", journal, phase="blackout"), Undefined)


def test_goodput_goes_by_completion() -> None:
    """Intended at 95 s and answered at 105 s is goodput of the blackout."""
    journal = [*steady(0, 50), prompt(95.0, 10.0)]

    assert number("goodput", journal, phase="steady") == pytest.approx(1.0)
    assert number("goodput", journal, phase="blackout") == pytest.approx(0.01)


def test_what_is_answered_while_draining_is_no_goodput() -> None:
    """The scenario is over at 400 s; an answer at 405 s is good for its user and no load any more."""
    journal = [prompt(398.0, 7.0)]

    assert number("goodput", journal) == 0.0
    assert number("availability", journal) == 1.0


TWENTY = [*(prompt(float(n), float(n)) for n in range(1, 17)), *(prompt(20.0 + n, 3.0, "gave_up") for n in range(4))]


def test_percentiles_are_over_all_prompts_with_the_unanswered_as_infinite() -> None:
    """Answered in 1..16 s, four given up after 3 s: the median is the 10th, and the 19th never came."""
    assert number("latency_p50", TWENTY) == pytest.approx(10.0, rel=0.003)
    assert number("latency_p95", TWENTY) == math.inf


def test_success_and_failure_have_their_own_percentiles() -> None:
    """Fast failures do not make the answers look fast: 8 s is the median of the answered, 3 s of the failed."""
    assert number("answered_p50", TWENTY) == pytest.approx(8.0, rel=0.003)
    assert number("failed_p50", TWENTY) == pytest.approx(3.0, rel=0.003)


def test_a_percentile_needs_enough_prompts() -> None:
    """The 99th of 20 prompts does not exist."""
    value = taken("latency_p99", TWENTY)

    assert value == Undefined("the 99th percentile needs 100 prompts, and there were 20")


def test_the_first_token_counts_from_the_intended_time_and_never_comes_for_the_unanswered() -> None:
    """Two streamed answers, one that was not streamed and says nothing, one given up."""
    journal = [
        prompt(0.0, first_token=0.5),
        prompt(1.0, first_token=2.0),
        prompt(2.0),
        prompt(3.0, 5.0, "gave_up"),
    ]

    assert number("first_token_p50", journal) == pytest.approx(2.0, rel=0.003)


def test_attempts_belong_to_their_prompts_and_amplification_to_its_time() -> None:
    """Three attempts made in the blackout for a prompt of the calm."""
    journal = [
        *steady(0, 3, each=1.0),
        *(attempt(float(n)) for n in range(3)),
        prompt(99.0, 9.0, "gave_up", attempts=3),
        *(attempt(100.0 + n, 1.0, "http_error", of="p99", n=n) for n in range(3)),
        prompt(150.0),
        attempt(150.0),
    ]

    assert number("attempts_per_prompt", journal, phase="steady") == pytest.approx(6 / 4)
    assert number("attempts_per_prompt", journal, phase="blackout") == pytest.approx(1.0)
    assert number("amplification", journal, phase="steady") == pytest.approx(3 / 4)
    assert number("amplification", journal, phase="blackout") == pytest.approx(4.0)
    assert number("amplification", journal) == pytest.approx(7 / 5)


ANN = [  # up 0..10, down from the failed prompt at 10 until the good answer at 22, up to 31
    prompt(0.0, 1.0, user="ann"),
    prompt(10.0, 5.0, "gave_up", user="ann"),
    prompt(20.0, 2.0, user="ann"),
    prompt(30.0, 1.0, user="ann"),
]


def test_a_user_is_down_from_a_failed_prompt_until_his_next_good_one() -> None:
    """12 of Ann's 31 seconds."""
    assert number("user_uptime", ANN) == pytest.approx(19 / 31)


def test_a_refresher_weighs_no_more_than_a_patient_user() -> None:
    """A hundred failed prompts within ten seconds lower the availability much and user-uptime little."""
    bob = [prompt(10.0 + n / 10, 0.1, "gave_up", user="bob", name=f"b{n}") for n in range(100)]
    journal = [*ANN, prompt(0.0, 1.0, user="bob", name="first"), *bob, prompt(21.0, 1.0, user="bob", name="last")]

    assert number("availability", journal) == pytest.approx(5 / 106)
    assert number("user_uptime", journal) == pytest.approx((19 + 10) / (31 + 22))


def test_a_users_time_goes_to_the_phases_it_lies_in() -> None:
    """Down from 95 to 105: five seconds of each phase."""
    journal = [prompt(0.0, 1.0, user="ann"), prompt(95.0, 2.0, "gave_up", user="ann"), prompt(104.0, 1.0, user="ann")]

    assert number("user_uptime", journal, phase="steady") == pytest.approx(0.95)
    assert number("user_uptime", journal, phase="blackout") == 0.0


def test_users_who_failed_and_how_long_they_were_without() -> None:
    """Ann was down for 12 s, nineteen others not at all."""
    others = [prompt(float(n), user=f"u{n}", name=f"o{n}") for n in range(19)]

    assert number("failed_users", [*ANN, *others]) == pytest.approx(1 / 20)
    assert taken("longest_outage_p95", ANN) == Undefined("the 95th percentile needs 20 prompts, and there were 1")


def test_the_longest_outage_is_each_users_own() -> None:
    """Twenty users who were down for 1..20 s: the 95th percentile is the 19th."""
    journal = [prompt(0.0, float(n), "gave_up", user=f"u{n}", name=f"o{n}") for n in range(1, 21)]

    assert number("longest_outage_p95", journal) == pytest.approx(19.0, rel=0.003)


def test_apdex_counts_the_unanswered_as_frustrated() -> None:
    """T is a quarter of the slo: 4 within 2.5 s, 4 within 10 s, 2 given up: (4 + 4/2) / 10."""
    journal = [
        *steady(0, 4, each=1.0),
        *steady(4, 8, each=1.0, took=5.0),
        prompt(8.0, 1.0, "gave_up"),
        prompt(9.0, 11.0),
    ]

    assert number("apdex", journal) == pytest.approx(0.6)


BUDGET = scenario(objective="99%", expect=[])


def test_the_burn_rate_is_how_fast_the_error_budget_goes() -> None:
    """One bad prompt in ten where one in a hundred is allowed, for 100 s of the 30 days: ten times too fast."""
    journal = [prompt(float(n), settled="gave_up" if n % 10 == 0 else "answered") for n in range(100)]
    counted = count_run(evidence(journal, of=BUDGET))

    phase = measured(counted, Scope(phase="steady"))

    found = {name: value.number for name, value in phase.items() if isinstance(value, Known)}
    assert found["burn_rate"] == pytest.approx(10.0)
    assert found["budget_spent"] == pytest.approx(10.0 * 100 / (30 * 24 * 3600))


def test_without_an_objective_there_is_no_budget() -> None:
    """Without an objective there is no budget."""
    assert taken("burn_rate", steady(0, 10)) == Undefined("the scenario has no objective")


def test_fairness_compares_what_the_groups_got() -> None:
    """One group is always answered, the other half of the time: 1.5^2 / (2 x 1.25) = 0.9, however large they are."""
    patient = steady(0, 50)
    hasty = [
        prompt(float(n), settled="gave_up" if n % 2 else "answered", group="hasty", name=f"h{n}") for n in range(4)
    ]

    assert number("fairness", [*patient, *hasty]) == pytest.approx(0.9)
    assert isinstance(taken("fairness", patient), Undefined)


WORK = [  # a calm in which an answer costs 2 slot-seconds, an outage that wastes 40 % of its work, then a herd
    *(ServiceSecond(t, "main", offered=2, finished=2, work=4.0, capacity=10.0) for t in range(100)),
    *(ServiceSecond(t, "main", offered=9, finished=3, work=10.0, wasted=4.0, capacity=10.0) for t in range(100, 200)),
    ServiceSecond(200, "main", offered=30, work=10.0, capacity=10.0),
    ServiceSecond(201, "main", offered=12, work=10.0, capacity=10.0),
]


def test_wasted_work_is_the_share_of_slot_time_for_clients_who_had_gone() -> None:
    """4 of every 10 slot-seconds in the blackout, none in the calm."""
    assert number("wasted_work", [], WORK, phase="blackout") == pytest.approx(0.4)
    assert number("wasted_work", [], WORK, phase="steady") == 0.0
    assert number("wasted_work", [], WORK, provider="main") == pytest.approx(400 / 1420)
    assert isinstance(taken("wasted_work", [], WORK, group="patient"), Undefined)


def test_overshoot_is_the_herd_against_what_the_provider_can_do() -> None:
    """10 slots at 2 slot-seconds an answer are 5 answers a second; 30 arrive in the second of the clear."""
    assert number("overshoot", [], WORK) == pytest.approx(6.0)


def test_a_provider_that_nobody_asked_after_an_outage_has_no_overshoot() -> None:
    """No data is no success: 0 would meet any limit."""
    silent = [replace(second, offered=0) if second.t >= 200 else second for second in WORK]

    assert taken("overshoot", [], silent) == Undefined("nothing was asked of a provider after an outage")


def test_efficiency_is_goodput_over_what_could_and_should_be_done() -> None:
    """In the calm everything asked is answered; later 1000 are asked of which 500 could be answered and 250 are."""
    calm = steady(0, 99)
    overload = [
        *steady(100, 125, each=0.1, took=2.0),
        *(prompt(125 + n / 10, 60.0, "gave_up", name=f"x{n}") for n in range(750)),
    ]

    assert number("efficiency", calm, WORK, phase="steady") == pytest.approx(1.0)
    assert number("efficiency", overload, WORK, phase="blackout") == pytest.approx(0.5)


def test_without_the_providers_journal_its_measures_are_unknown() -> None:
    """Measures without data are undefined."""
    values = measured(count_run(evidence(steady(0, 100))), Scope())

    assert [name for name in ("wasted_work", "overshoot", "efficiency") if isinstance(values[name], Known)] == []


def test_scopes_narrow_by_group_tier_and_both() -> None:
    """Each group is in a tier of its own here."""
    journal = [
        *steady(0, 10, group="patient"),
        *(prompt(20.0 + n, 1.0, "gave_up", group="hasty", name=f"h{n}") for n in range(20)),
    ]

    found = [
        number("availability", journal, **scope)
        for scope in ({}, {"group": "patient"}, {"tier": "free"}, {"group": "hasty"}, {"tier": "plus"})
    ]

    assert found == [0.5, 1.0, 1.0, 0.0, 0.0]
    assert isinstance(taken("availability", journal, group="patient", tier="plus"), Undefined)


def test_a_providers_scope_counts_attempts() -> None:
    """Three attempts at main of which one is answered, two at other which both are; every prompt was answered."""
    journal: list[Attempt | Prompt] = [
        attempt(0.0, 1.0, "http_error", of="a"),
        attempt(1.0, 1.0, "ok", of="a", n=1, provider="other"),
        prompt(0.0, 2.0, name="a", attempts=2),
        attempt(5.0, 1.0, "http_error", of="b"),
        attempt(6.0, 1.0, "ok", of="b", n=1, provider="other"),
        prompt(5.0, 2.0, name="b", attempts=2),
        attempt(9.0, 1.0, "ok", of="c"),
        prompt(9.0, 1.0, name="c"),
    ]

    assert number("availability", journal) == 1.0
    assert number("availability", journal, provider="main") == pytest.approx(1 / 3)
    assert number("availability", journal, provider="other") == 1.0
    assert isinstance(taken("attempts_per_prompt", journal, provider="main"), Undefined)


def test_prompts_outside_the_scenario_are_no_load() -> None:
    """Before 0 and after the end nothing counts."""
    assert number("prompts", [prompt(-1.0), prompt(5.0), prompt(400.0)]) == 1


def test_every_measure_has_a_unit_and_a_definition() -> None:
    """The registry is closed: each is documented, and can be put in words."""
    assert {measure.unit for measure in TABLE.values()} == {
        "share",
        "duration",
        "rate",
        "number",
        "count",
    }
    assert scenario().slo == 10.0
