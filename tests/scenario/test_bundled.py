"""What every bundled scenario owes its reader, and the arithmetic that the surge rests on."""

import pytest

from mockbot.scenario.answer_law import mean_seconds
from mockbot.scenario.library import find, folder, names
from mockbot.scenario.lint import lint
from mockbot.scenario.load import load_scenario
from mockbot.scenario.policies import Refresh
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import duration_text

MARGIN = 0.15  # distance from every boundary, on the side that the file claims


def bundled(name: str) -> Scenario:
    """Read from the library."""
    return load_scenario(find(name))


@pytest.mark.parametrize("name", names())
def test_a_bundled_scenario_explains_itself(name: str) -> None:
    """Which outage it retells, what was assumed, what it teaches; and before all: what naive and good clients do."""
    made = bundled(name)
    comment = find(name).read_text("utf-8").split("\nname:")[0]

    assert made.name == name
    assert made.cause is not None
    assert made.teaches
    assert made.retells is not None
    assert made.retells.source.startswith("https://")
    assert made.retells.assumed
    assert "What a naive client does" in comment
    assert "What a good" in comment


def library_table() -> str:
    """As scenarios/README.md shows it."""
    rows = ["| scenario | cause | lasts | played in | teaches |", "| --- | --- | --- | --- | --- |"]
    for name in names():
        made = bundled(name)
        end = Timeline(made).end
        lasts, played = duration_text(end), f"{end / made.speed:.0f} s"
        rows.append(f"| [{name}]({name}.yaml) | {made.cause} | {lasts} | {played} | {made.teaches} |")
    return "\n".join(rows)


def test_the_table_of_the_library_is_current() -> None:
    """It is what the files say; put `library_table()` between its marks when this fails."""
    readme = (folder("scenarios") / "README.md").read_text("utf-8")

    assert f"<!-- library -->\n{library_table()}\n<!-- /library -->" in readme


@pytest.mark.parametrize("name", names())
def test_every_outage_is_played_in_under_two_minutes(name: str) -> None:
    """However many hours it took."""
    made = bundled(name)

    assert Timeline(made).end / made.speed <= 120


@pytest.mark.parametrize("name", names())
def test_nothing_is_to_be_said_against_a_bundled_scenario(name: str) -> None:
    """Answers survive the speed, and no phase is shorter than its clients wait."""
    assert lint(bundled(name)) == ()


@pytest.mark.parametrize("name", ["traffic-surge", "maintenance-window", "unexpected-failure"])
def test_the_three_causes_are_played_in_under_90_seconds(name: str) -> None:
    """With a few seconds left to start and to end."""
    made = bundled(name)

    assert Timeline(made).end / made.speed <= 85


@pytest.mark.parametrize("name", names())
def test_a_bundled_scenario_expects_something_of_the_calm_before(name: str) -> None:
    """A verdict is worth nothing when the service was ill from the start."""
    made = bundled(name)

    calm = made.phases[0].name

    assert any(
        expected.phase == calm and "availability" in {measure.name for measure, *_ in expected.thresholds()}
        for expected in made.expect
    )


def test_the_surge_tips_over_whoever_reloads_and_nobody_else() -> None:
    """Closed forms: a stuck state exists iff r < min(N, q + slots)/C, and the surge tips it once C r is left behind.

    Huang et al. OSDI 2022 describe the shape; the thresholds are those of the closed loop with a bounded FIFO queue.
    """
    made = bundled("traffic-surge")
    line = Timeline(made)
    service = made.providers["impatient-side"]
    hasty = made.crowd["refreshers"]
    assert isinstance(hasty.policy, Refresh)
    reload, takes = hasty.policy.every, mean_seconds(service.answer)
    capacity = service.slots / takes
    usual, most = line.at(0).users["refreshers"], line.max_users()["refreshers"]
    waiting = usual * hasty.patience / (hasty.patience + hasty.think)
    surge = next(phase for phase in line.phases if phase.name == "surge")
    demand, offered = usual / (hasty.think + takes), most / (hasty.think + takes)
    tips_after = capacity * reload / (offered - capacity)

    assert not made.phases[2].faults  # nothing is configured to fail
    assert demand < (1 - MARGIN) * capacity  # healthy before
    assert tips_after < (1 - MARGIN) * (surge.end - surge.start)
    assert reload < (1 - MARGIN) * min(waiting, service.queue.limit) / capacity  # whoever is served has reloaded
    assert waiting / reload > (1 + MARGIN) * capacity  # the reloads alone keep the queue full


def test_the_two_sides_of_the_surge_differ_in_their_clients_only() -> None:
    """The same service, crowd and tempo: what differs afterwards is the policy's doing."""
    made = bundled("traffic-surge")
    hasty, patient, sdk = (made.crowd[name] for name in ("refreshers", "patient", "sdk"))

    assert made.providers["impatient-side"] == made.providers["patient-side"]
    assert hasty.users == (patient.users or 0) + (sdk.users or 0)
    assert len({(group.think, group.stream) for group in (hasty, patient, sdk)}) == 1
    assert (hasty.uses, patient.uses, sdk.uses) == ("impatient-side", "patient-side", "patient-side")


def test_the_blackout_is_as_long_as_it_was() -> None:
    """Errors were almost gone after 26 minutes, and gone after 35; the status page came late."""
    line = Timeline(bundled("unexpected-failure"))
    starts = {phase.name: phase.start for phase in line.phases}

    assert starts["return"] - starts["blackout"] == 26 * 60
    assert starts["after"] - starts["blackout"] == 35 * 60
    assert line.at(starts["blackout"] + 11.9 * 60).status is None
    assert line.at(starts["blackout"] + 12 * 60).status is not None


def test_the_maintenance_is_announced_and_ends_when_it_was_said_to() -> None:
    """Scheduled before it begins, in progress while it lasts, completed when it is over."""
    line = Timeline(bundled("maintenance-window"))

    states = [state.update.state for t in (90, 300, line.phases[2].start) if (state := line.at(t).status)]

    assert states == ["scheduled", "in_progress", "completed"]
    assert line.faults[0].end == line.phases[2].start
