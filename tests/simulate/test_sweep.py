"""Sweeps: axes are read with care, a map is right as far as it got, and theory is drawn over it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

pytest.importorskip("numba")

from mockbot.errors import ExitCode, UsageError
from mockbot.scenario.schema import Scenario
from mockbot.simulate import sweep_command as command
from mockbot.simulate.sweep import begin, play_point
from mockbot.simulate.sweep_axes import at_point, parse_axis
from tests.simulate.build import scenario

pytestmark = pytest.mark.usefixtures("fluid_is_compiled")

ANSWER: dict[str, Any] = {"first_token": 0, "tokens": {"median": 31, "p95": 31}, "pace": "100/s"}  # 0.3 s


def _world() -> Scenario:
    """C = 10/s; a minute's crash; everybody reloads."""
    return scenario(
        [{"crash": True}],
        provider={"slots": 3, "queue": {"limit": 1000}, "answer": ANSWER},
        group={"policy": {"name": "refresh", "every": "30s"}, "think": "99s", "patience": "2h"},
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user=1..2", "did you mean users"),
        ("users=1e3", "write it like users=1e3..1e6"),
        ("users=-5..10", "not within"),
        ("users=1..1e30", "not within"),
        ("users=nan..5", "not within"),
        ("refresh=60s..2s", "not less"),
        ("refresh=2..60", "not a duration"),
        ("slots=1..9/1", "number of steps"),
    ],
)
def test_a_bad_axis_says_what_is_wrong(text: str, says: str) -> None:
    """With the nearest name, or an example."""
    with pytest.raises(UsageError, match=says):
        parse_axis(text)


def test_an_axis_over_a_decade_is_geometric() -> None:
    """1e3..1e5 in three steps has 1e4 in its middle."""
    assert parse_axis("users=1e3..1e5/3").values == (1e3, 1e4, 1e5)


def test_users_grow_on_the_same_slots() -> None:
    """The service stays as written."""
    world = at_point(_world(), [parse_axis("users=10..1000/2")], [1000.0])

    assert world.phases[0].users is not None
    assert world.phases[0].users.first == 1000
    assert world.providers["main"].slots == 3


def test_an_axis_that_means_nothing_here_is_refused() -> None:
    """A crowd that never reloads has no refresh interval."""
    with pytest.raises(UsageError, match="a group whose policy is refresh"):
        begin(scenario([{"crash": True}]), [parse_axis("refresh=2s..60s")])


def test_fast_reloading_sticks_and_slow_reloading_does_not() -> None:
    """Beyond both laws' edges the map says what they say."""
    sweep = begin(_world(), [parse_axis("users=690..700/2"), parse_axis("refresh=5s..90s/2")])
    fast, slow = play_point(sweep, (1, 0)), play_point(sweep, (1, 1))

    assert (fast.state, slow.state) == ("stuck", "recovered")
    assert max(fast.margins.values()) < 0 < min(slow.margins.values())


def test_a_map_is_kept_when_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C writes the points that are done, says so, and exits with 130."""
    played = []

    def stop_after_two(sweep: Any, place: tuple[int, ...]) -> Any:
        played.append(place)
        if len(played) > 4 + 2:  # four for the estimate
            raise KeyboardInterrupt
        return play_point(sweep, place)

    monkeypatch.setattr(command, "play_point", stop_after_two)
    out = tmp_path / "map"
    code = command.sweep_command(_world(), ["users=20..40/3"], out, "typed", Console(quiet=True), big=False)
    lines = list(csv.DictReader((out / "sweep.csv").read_text("utf-8").splitlines()))
    told = json.loads((out / "sweep.json").read_text("utf-8"))

    assert code == ExitCode.INTERRUPTED
    assert [line["users"] for line in lines] == ["20", "30"]
    assert told["interrupted"] is True
    assert "interrupted: 1 of 3" in (out / "sweep.html").read_text("utf-8")


def test_a_sweep_of_a_million_points_is_refused_with_its_time(tmp_path: Path) -> None:
    """It says how long it would take, and the flag that asks for it."""
    with pytest.raises(UsageError, match=r"1,000,000 points would take about .*--big"):
        command.sweep_command(
            _world(), ["refresh=2s..60s/1000", "outage=1s..60s/1000"], tmp_path, "typed", Console(quiet=True), big=False
        )
