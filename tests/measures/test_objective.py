"""Burn-rate alerts with answers worked out on paper: the SRE workbook's windows over hand-written journals."""

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.records import Prompt
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.verdict import judge
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known, Undefined, Value
from tests.evidence.build import AFTER, CALM, FELT, OUTAGE, actions, evidence, measured, scenario, sound_run, steady

PROMISED = scenario(objective=0.999)


def number(value: Value) -> float:
    assert isinstance(value, Known)
    return value.number


def counted(requests: list[Prompt] | None = None, **changes: object) -> RunCounters:
    """100 s of calm, 100 s of failures, 200 s after; two prompts per second."""
    return count_run(evidence(requests or sound_run(), FELT, of=scenario(**{"objective": 0.999, **changes})))


@pytest.mark.parametrize(
    ("measure", "paper"),
    [
        ("burn_1h", 100 / 3600 / 0.001),  # all 200 bad ones of 7200: the last 5 minutes are worse
        ("burn_6h", 100 / 21600 / 0.001),
        ("burn_3d", 100 / 259200 / 0.001),
    ],
    ids=["1 h", "6 h", "3 d"],
)
def test_an_outage_in_a_service_that_was_well_burns_the_long_window_slowly(measure: str, paper: float) -> None:
    """100 s of nothing but failures, at the rate of the baseline before."""
    assert number(measured(counted(), Scope())[measure]) == pytest.approx(paper, rel=0.01)


def test_a_short_window_that_is_well_again_silences_the_alert() -> None:
    """Long after the outage the last hour is still bad, and the last 5 minutes are not: the rate is the lesser one."""
    half = [*steady(0, 100), *steady(100, 200, took=5.0, settled="gave_up", each=20.0), *steady(200, 400)]

    # 5 bad ones; the last 5 minutes are the worst when they hold the outage, 5 / 605, and the hour is at 5 / 7010
    assert number(measured(counted(half), Scope())["burn_1h"]) == pytest.approx(5 / 7010 / 0.001, rel=0.02)


def test_the_pager_goes_off_when_both_windows_have_reached_the_rate() -> None:
    """14.4 times 0.1 % of an hour's 7200 prompts are 104 bad ones: 52 s into the outage; 5 minutes are worse."""
    assert measured(counted(), Scope())["time_to_page"] == Known(52.0)


def test_an_objective_that_allows_it_pages_nobody() -> None:
    """With an objective that allows a quarter to fail no alert fires: censored."""
    value = measured(counted(objective=0.75), Scope())["time_to_page"]

    assert value == Beyond(300.0, "no burn-rate alert would have paged anybody")


def test_who_never_failed_burned_nothing() -> None:
    """A group's alerts are about its own prompts."""
    mixed = [*sound_run(), *steady(0, 400, group="hasty")]

    values = measured(counted(mixed), Scope(group="hasty"))
    tier = measured(counted(mixed), Scope(tier="plus"))

    assert (values["burn_1h"], values["burn_6h"], values["burn_3d"]) == (Known(0.0), Known(0.0), Known(0.0))
    assert (values["time_to_page"], tier["burn_1h"]) == (
        Beyond(300.0, "no burn-rate alert would have paged anybody"),
        Known(0.0),
    )


def test_without_a_baseline_the_windows_begin_with_the_run() -> None:
    """An outage from the first second: everything in every window is bad, and the first slice pages."""
    told = {"phases": [{**OUTAGE, "users": 50}, AFTER]}
    bad = [*steady(0, 100, took=5.0, settled="gave_up"), *steady(100, 300)]
    run = evidence(bad, FELT, of=scenario(objective=0.999, expect=[], **told), did=actions(begin=0.0, end=100.0))

    values = measured(count_run(run), Scope())

    assert number(values["burn_1h"]) == pytest.approx(1000.0)
    assert values["time_to_page"] == Known(1.0)


@pytest.mark.parametrize(
    ("scope", "changes", "why"),
    [
        (Scope(), {"objective": None}, "the scenario has no objective"),
        (Scope(phase="blackout"), {}, "is about the whole run and not about one phase"),
        (Scope(provider="main"), {}, "an objective is about prompts, which may visit several providers"),
    ],
    ids=["no objective", "a phase", "a provider"],
)
def test_what_has_no_alerts_says_why(scope: Scope, changes: dict[str, None], why: str) -> None:
    """The measures are undefined, with the reason."""
    values = measured(counted(None, **changes), scope)

    assert values["burn_1h"] == values["time_to_page"] == Undefined(why)


def test_nothing_wrong_has_no_time_to_page() -> None:
    """There is no begin to count from."""
    calm = scenario(objective=0.999, phases=[CALM])

    value = measured(count_run(evidence(steady(0, 100), of=calm, did=())), Scope())["time_to_page"]

    assert value == Undefined("nothing went wrong in this run")


def test_an_expectation_may_ask_for_it() -> None:
    """`time_to_page: "<= 30s"` of an outage that pages after 52 s."""
    told = scenario(objective=0.999, expect=[{"time_to_page": "<= 30s", "burn_1h": "<= 28"}])

    judgement = judge(evidence(sound_run(), FELT, of=told))

    assert [str(each) for each in judgement.expectations] == [
        "burn_1h of whole run: expected <= 28, saw 27.78",
        "time_to_page of whole run: expected <= 30s, saw 52s",
    ]
    assert judgement.verdict == "fail"
