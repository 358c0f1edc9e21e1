"""What is allowed and seldom meant is said, with its place, and stops nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from mockbot.scenario.calm import timeout_of
from mockbot.scenario.library import find, names
from mockbot.scenario.lint import lint
from mockbot.scenario.load import load_scenario, read_scenario
from tests.scenario.build import FILE, scenario

WELL = FILE.replace("every: 5s", "every: 20s")
HURRIED = WELL.replace("{name: during, lasts: 1m", "").replace("lasts: 1m\n    faults", "lasts: 20s\n    faults")


def test_a_phase_that_is_shorter_than_a_client_waits_is_told() -> None:
    """With the client, and how long that waits."""
    (doubt,) = lint(read_scenario(HURRIED))

    assert doubt.path == ("phases", 1, "lasts")
    assert doubt.message.startswith("20s is less than 'patient' waits for one attempt, 30s")


@pytest.mark.parametrize(
    ("group", "seconds"),
    [
        ({"policy": {"name": "backoff", "timeout": 20.0}, "patience": 60.0}, 20),
        ({"policy": {"name": "sdk", "timeout": 600.0}, "patience": 60.0}, 60),
        ({"policy": "google-genai", "patience": 90.0}, 90),
    ],
)
def test_a_client_waits_for_its_timeout_or_its_patience(group: dict[str, object], seconds: float) -> None:
    """Whichever is shorter; a client without a timeout has its user's patience."""
    made = scenario(crowd={"only": {"users": 1.0, **group}})

    assert timeout_of(made.crowd["only"]) == seconds


def test_answers_too_short_for_the_speed_are_told() -> None:
    """With the speed that they would bear; at that speed nothing is said."""
    made = read_scenario(WELL)

    doubts = lint(made, 100.0)

    assert [doubt.path for doubt in doubts] == [("providers", "main"), ("providers", "other")]
    assert "or `speed: 37.3`" in doubts[0].message
    assert lint(made, 37.0) == ()


def test_check_warns_with_the_line_and_succeeds(tmp_path: Path) -> None:
    """Also where the line is the parent's."""
    (tmp_path / "hurried.yaml").write_text(HURRIED, "utf-8")
    (tmp_path / "child.yaml").write_text("extends: hurried.yaml\nname: child\n", "utf-8")

    result = CliRunner().invoke(cli, ["check", str(tmp_path / "child.yaml")])

    assert result.exit_code == 0
    assert f"warning: {tmp_path}/hurried.yaml:15:12: phases.1.lasts: 20s is less than" in result.output


def test_a_calm_that_is_unwell_is_told() -> None:
    """More is asked than can be answered; answers take longer than their clients wait; not in a phase with a fault."""
    few = {"main": {"slots": 1, "answer": {"tokens": {"median": 60, "p95": 300}, "pace": 10.0}}}
    crowd = {"only": {"users": 1.0, "policy": {"name": "sdk", "timeout": 30}}}
    phases = [
        {"name": "down", "lasts": 60.0, "users": 1, "faults": [{"http_error": 503}]},
        {"name": "calm", "lasts": 60.0, "users": 60},
    ]

    busy, late = lint(scenario(providers=few, phases=phases, crowd=crowd))

    assert busy.path == ("providers", "main")
    assert busy.message.startswith("in 'calm', where nothing is wrong, its users ask for ")
    assert late.path == ("crowd", "only")
    assert late.message.startswith("5 % of the answers take longer than the 30s that it waits for one")


def test_an_end_on_the_status_page_without_a_begin_is_told() -> None:
    """The page shows nothing of it; of an incident that was posted before it does."""
    posts = [("1m", "investigating"), ("2m", "resolved"), ("3m", "resolved"), ("4m", "scheduled"), ("5m", "completed")]
    page = [{"at": at, "state": state} for at, state in posts]

    *_, doubt = lint(scenario(status_page=page, phases=[{"name": "calm", "lasts": 600.0, "users": 1}]), 1.0)

    assert doubt.path == ("status_page", 2, "state")
    assert doubt.message.startswith("'resolved' ends nothing")


def test_the_bundled_scenarios_leave_no_doubt() -> None:
    for name in names():
        assert not lint(load_scenario(find(name))), name
