"""What was played by hand, as one scenario: phases as long as they were, faults as far as they went, ids that fit."""

import pytest

from mockbot.scenario.load import read_scenario
from mockbot.scenario.played import Stretch, played
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import for_external_client, held, starting_at
from tests.scenario.test_transforms import BASE


@pytest.fixture(scope="module")
def base() -> Scenario:
    """For one client, as it is recorded."""
    return for_external_client(read_scenario(BASE))


def _at(base: Scenario, phase: str, ended: float, lasts: float) -> Stretch:
    return Stretch(starting_at(held(base, phase, 1.0), phase), ended, lasts)


def test_each_phase_is_as_long_as_it_was_held(base: Scenario) -> None:
    """And begins on the whole second at which its service began to count."""
    made = played([_at(base, "closed", 3.2, 5), _at(base, "shaky", 1.5, 2)]).scenario

    assert [(span.name, span.start, span.end) for span in Timeline(made).phases] == [("closed", 0, 5), ("shaky", 5, 7)]


def test_a_fault_ends_when_it_was_ended_by_hand(base: Scenario) -> None:
    """What ramps stops where it was."""
    made = played([Stretch(starting_at(base, "shaky"), 5.0, 6)]).scenario

    (fault,) = Timeline(made).faults
    assert (fault.start, fault.end) == (0, 5)
    assert (fault.fault.share.first, fault.fault.share.last) == (0.5, 0.25)


def test_a_phase_that_comes_again_has_a_name_of_its_own(base: Scenario) -> None:
    """Its faults, too; and a scenario that was read back from its JSON is the same."""
    made = played([_at(base, "closed", 2, 3), _at(base, "shaky", 2, 3), _at(base, "closed", 2, 3)])

    assert [phase.name for phase in made.scenario.phases] == ["closed", "shaky", "closed-2"]
    assert [dict(ids) for ids in made.faults] == [
        {"closed.0.maintenance": "closed.0.maintenance"},
        {"shaky.0.http_error": "shaky.0.http_error"},
        {"closed.0.maintenance": "closed-2.0.maintenance"},
    ]
    assert Scenario.model_validate_json(made.scenario.model_dump_json()) == made.scenario


def test_what_did_not_happen_is_left_out(base: Scenario) -> None:
    """Phases and faults after the end, and what was expected of them."""
    made = played([Stretch(base, 9.5, 10)]).scenario

    assert ([phase.name for phase in made.phases], Timeline(made).faults) == (["calm"], ())
    assert [each.phase for each in made.expect] == ["calm"]


def test_after_the_last_phase_it_goes_on_without_faults(base: Scenario) -> None:
    """`mockbot serve` answers until Ctrl-C."""
    made = played([Stretch(base, 60, 61)]).scenario

    assert Timeline(made).end == 61
    assert [fault.end for fault in Timeline(made).faults] == [30, 40]
