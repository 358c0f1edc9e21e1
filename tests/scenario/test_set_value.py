"""`--set path=value`: one value changed, as if the file had said it."""

import pytest

from mockbot.errors import ScenarioError
from mockbot.scenario.load import read_scenario
from tests.scenario.build import FILE


def test_a_value_is_changed_and_nothing_else() -> None:
    """By key, by a phase's name, by a fault's number; in their order."""
    plain = read_scenario(FILE)
    changes = ["phase.during.lasts=5m", "providers.main.slots=20", "phases.during.faults.0.http_error=500"]

    changed = read_scenario(FILE, changes=changes)

    assert [phase.lasts for phase in changed.phases] == [60.0, 300.0, 60.0]
    assert changed.providers["main"].slots == 20
    assert changed.phases[1].faults[0].model_dump()["http_error"]["status"] == 500
    assert changed.crowd == plain.crowd
    assert changed.phases[2] == plain.phases[2]


def test_a_value_may_be_new_or_a_whole_mapping() -> None:
    """What the language knows and the file does not say."""
    changed = read_scenario(FILE, changes=["slo=5s", "provider.main.queue={limit: 7}", "crowd.hasty.think=1s"])

    assert (changed.slo, changed.providers["main"].queue.limit, changed.crowd["hasty"].think) == (5.0, 7, 1.0)


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("slo", "--set slo: scenario: write it as path=value"),
        ("phase.durring.lasts=5m", "phases.durring: there is no 'durring'; did you mean 'during'?"),
        ("phase.during.faults.7.http_error=500", "phases.during.faults.7: there is no '7'"),
        ("phase.during.lasts=5", "--set phase.during.lasts=5: phases.1.lasts: 5 is not a duration"),
        (
            "providers.main.slts=5",
            "--set providers.main.slts=5: providers.main.slts: 'slts' is no key here; did you mean",
        ),
        ("title.x=5", "title: is one value; there is no 'x' in it"),
        ("slo=[", "--set slo=[: scenario: not readable as YAML"),
    ],
)
def test_a_mistake_names_the_option(assignment: str, says: str) -> None:
    """Not a line of the file, which is right."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(FILE, changes=[assignment])

    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
