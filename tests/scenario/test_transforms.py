"""Scenarios made from scenarios: what changes, and that nothing else does."""

import pytest

from mockbot.errors import UsageError
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.schema import Scenario
from mockbot.scenario.shorten import shortened
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import (
    EXTERNAL_GROUP,
    for_external_client,
    for_system,
    held,
    starting_at,
    without_system,
)

BASE = """
name: base
title: Two faults and a page
providers: {main: {slots: 2}}
crowd: {all: {users: 100%, policy: once}}
phases:
  - {name: calm, lasts: 10s, users: 5}
  - {name: closed, lasts: 20s, faults: [{maintenance: true}]}
  - {name: shaky, lasts: 10s, faults: [{http_error: 503, share: 50% -> 0%}]}
status_page:
  - {at: 5s, state: investigating}
  - {at: closed+2s, state: in_progress}
  - {at: shaky, state: resolved}
expect:
  - {phase: calm, availability: ">= 99%"}
  - {group: all, availability: ">= 10%"}
  - {phase: shaky, availability: ">= 10%"}
"""


@pytest.fixture(scope="module")
def base() -> Scenario:
    return read_scenario(BASE)


def test_a_held_phase_does_not_end(base: Scenario) -> None:
    """An hour of somebody's time later it is still that phase, at any speed."""
    timeline = Timeline(held(base, "closed", speed=20))

    assert timeline.phase_at(10 + 3599 * 20).name == "closed"
    assert [phase.name for phase in timeline.phases] == ["calm", "closed", "shaky"]


def test_a_held_maintenance_does_not_tell_to_wait_for_ever(base: Scenario) -> None:
    """Its Retry-After is the length that the file gives it, because its end is not known."""
    fault = held(base, "closed", speed=1).phases[1].faults[0]

    assert fault.model_dump()["maintenance"]["retry_after"] == "20s"


def test_an_external_client_is_alone(base: Scenario) -> None:
    """One client in one group; what was expected of the crowd's groups is not asked of it."""
    external = for_external_client(base)

    assert list(external.crowd) == [EXTERNAL_GROUP]
    assert Timeline(external).at(15).users == {EXTERNAL_GROUP: 1}
    assert [each.phase for each in external.expect] == ["calm", "shaky"]


def test_an_external_client_owes_nothing_that_takes_a_crowd() -> None:
    """How badly a crowd fares, and what it does to a provider, is not asked of one client; what is good is."""
    expects = (
        '{phase: calm, availability: ">= 99%", overshoot: ">= 2", latency_p95: "<= 9s"}',
        '{phase: closed, availability: "<= 5%"}',
        '{provider: main, wasted_work: ">= 70%"}',
    )
    text = BASE[: BASE.index("expect:")] + "expect:\n" + "".join(f"  - {each}\n" for each in expects)
    (left,) = for_external_client(read_scenario(text)).expect

    assert [measure.name for measure, *_ in left.thresholds()] == ["availability", "latency_p95"]
    assert left.phase == "calm"


def test_an_external_client_meets_the_same_faults(base: Scenario) -> None:
    """Nothing changes about what goes wrong and when."""
    assert Timeline(for_external_client(base)).faults == Timeline(base).faults


@pytest.mark.parametrize("name", ["unexpected-failure", "maintenance-window", "traffic-surge"])
def test_an_external_clients_scenario_can_be_written_down(name: str) -> None:
    """What a run folder keeps is valid again when it is read."""
    external = for_external_client(load_scenario(find(name)))

    assert Scenario.model_validate_json(external.model_dump_json()) == external


def test_starting_later_leaves_out_what_is_over(base: Scenario) -> None:
    """Phases and expectations of the time before are gone, the page says its last word, and the rest begins at 0."""
    later = starting_at(base, "closed")

    assert [phase.start for phase in Timeline(later).phases] == [0.0, 20.0]
    assert [update.at for update in later.status_page] == ["0s", "2s", "20s"]
    assert [each.phase for each in later.expect] == [None, "shaky"]


def test_what_reaches_over_the_start_goes_on() -> None:
    """A fault that began before and holds still is there from the first second, and ramps on from where it was."""
    later = starting_at(
        read_scenario(BASE.replace("{maintenance: true}", "{blank_answer: true, share: 0% -> 60%, lasts: 30s}")),
        "shaky",
    )
    carried = Timeline(later).faults[0]

    assert (carried.start, carried.end, carried.fault.kind) == (0.0, 10.0, "blank_answer")
    assert carried.fault.share.at(0.0) == pytest.approx(0.4)
    assert carried.fault.share.last == pytest.approx(0.6)


def test_starting_nowhere_is_an_error(base: Scenario) -> None:
    """A phase that is not there cannot be started with."""
    with pytest.raises(KeyError, match="nowhere"):
        starting_at(base, "nowhere")


def test_with_a_system_no_group_goes_around_it() -> None:
    """It is the system that fails over; and it keeps its own clock."""
    scenario = for_system(load_scenario(find("failover-2024-06-04")))

    assert {(group.uses, group.falls_over_to) for group in scenario.crowd.values()} == {(None, None)}
    assert scenario.speed == 1.0


def test_a_system_owes_users_what_is_good_for_them_and_no_lesson_about_the_crowd() -> None:
    """That the SDK's users get nothing in the blackout is what the scenario teaches, not what a system should do."""
    kept = for_system(load_scenario(find("unexpected-failure"))).expect

    assert [(each.group or each.phase, measure.name) for each in kept for measure, _, _ in each.thresholds()] == [
        ("steady", "availability"),
        ("after", "availability"),
        ("paying", "availability"),
        ("patient", "recovery_time"),
        (None, "time_to_detect"),
    ]


@pytest.mark.parametrize("fault", [{"restart": "kill"}, {"on": "system", "latency": "1s"}])
def test_a_client_without_a_system_cannot_have_a_fault_on_it(base: Scenario, fault: dict[str, str]) -> None:
    """Named, and what to do; a fault at a provider is no reason."""
    phases = [{"name": "all", "lasts": "60s", "users": 10, "faults": [{"http_error": 503}, fault]}]
    told = Scenario.model_validate(base.model_dump(mode="json") | {"phases": phases, "status_page": [], "expect": []})

    with pytest.raises(UsageError, match=r"fault all\.1\.\w+ is on the system under test, .* `mockbot run --system`"):
        for_external_client(told)
    assert without_system(base, "there is none") is base


def test_a_restart_lasts_as_long_as_it_says(base: Scenario) -> None:
    """`down`, or `lasts`; shortened with the outage."""
    faults = [{"restart": {"down": "10s"}}, {"restart": "planned", "at": "20s", "lasts": "6s"}]
    phases = [{"name": "all", "lasts": "60s", "users": 10, "faults": faults}]
    told = Scenario.model_validate(base.model_dump(mode="json") | {"phases": phases, "status_page": [], "expect": []})

    spans, short = (
        [(each.provider, each.start, each.end) for each in Timeline(scenario).faults]
        for scenario in (told, shortened(told, 30.0).scenario)
    )

    assert spans == [("system", 0.0, 10.0), ("system", 20.0, 26.0)]
    assert short == [("system", 0.0, 5.0), ("system", 10.0, 13.0)]


def test_no_provider_has_the_systems_name(base: Scenario) -> None:
    """Or `on: system` would mean two things."""
    told = base.model_dump(mode="json")
    told["providers"]["system"] = {}

    with pytest.raises(ValueError, match="'system' is the system under test in `on: system`"):
        Scenario.model_validate(told)
