"""Sweeps: axes are read with care, a map is right as far as it got, and theory is drawn over it."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

pytest.importorskip("numba")
from mockbot.commands import sweep as command
from mockbot.commands.simulate import SimulateOptions
from mockbot.errors import ExitCode, UsageError
from mockbot.scenario.schema import Scenario
from mockbot.simulate.sweep.axes import at_point, parse_axis
from mockbot.simulate.sweep.grid import Place, Point, Sweep, begin, play_point
from tests.simulate.build import scenario

pytestmark = [pytest.mark.second, pytest.mark.usefixtures("fast_is_compiled")]

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


def test_the_fast_engine_plays_a_sweep_where_it_can() -> None:
    """The reference plays what the fast engine cannot, so that a sweep takes whatever a run takes."""
    axes = [parse_axis("slots=3..9/2")]
    hedged = {"policy": {"name": "backoff", "hedge": "2s"}}

    assert begin(_world(), axes).engine == "fast"
    assert begin(_world(), axes, "reference").engine == "reference"
    assert begin(scenario([{"crash": True}], group=hedged), axes).engine == "reference"
    with pytest.raises(UsageError, match=r"--engine fast: .*hedge"):
        begin(scenario([{"crash": True}], group=hedged), axes, "fast")


def test_both_engines_say_what_became_of_a_point() -> None:
    """Beyond the edge they say the same."""
    axes = [parse_axis("users=690..700/2"), parse_axis("refresh=5s..90s/2")]
    states = {
        engine: [play_point(begin(_world(), axes, engine), (1, every)).state for every in (0, 1)]
        for engine in ("reference", "fast")
    }

    assert states == {"reference": ["stuck", "recovered"], "fast": ["stuck", "recovered"]}


def _sweep(out: Path, *axes: str) -> tuple[ExitCode, str]:
    console = Console(record=True, width=120, quiet=False, file=StringIO())
    code = command.sweep_command(SimulateOptions(_world(), out=out, command="typed"), axes, console, big=False)
    return code, console.export_text()


def test_a_sweep_leaves_a_map_a_table_and_a_page(tmp_path: Path) -> None:
    """One character a point with theory's edge, a line a point, and the charts with the command."""
    code, text = _sweep(tmp_path / "map", "users=600..700/3", "refresh=5s..90s/2")
    lines = list(csv.DictReader((tmp_path / "map" / "sweep.csv").read_text("utf-8").splitlines()))
    told = json.loads((tmp_path / "map" / "sweep.json").read_text("utf-8"))
    page = (tmp_path / "map" / "sweep.html").read_text("utf-8")

    assert code == ExitCode.PASS
    assert "engine: fast" in text
    assert "6 points, about" in text
    assert "/ the edge of theory" in text
    assert [line["state"] for line in lines[:3]] == ["stuck", "recovered", "stuck"]
    assert told["axes"]["users"] == [600.0, 650.0, 700.0]
    assert told["points"][0]["margins"]
    assert "typed" in page
    assert 'id="chart-states"' in page


def test_a_map_is_kept_when_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C writes the points that are done, says so, and exits with 130."""

    def stop_at_the_last(sweep: Sweep, place: Place) -> Point:
        if place == (2, 0):
            raise KeyboardInterrupt
        return play_point(sweep, place)

    monkeypatch.setattr(command, "estimate", lambda _: 1.0)
    monkeypatch.setattr(command, "play_point", stop_at_the_last)
    code, text = _sweep(tmp_path / "map", "users=20..40/3")
    lines = list(csv.DictReader((tmp_path / "map" / "sweep.csv").read_text("utf-8").splitlines()))
    told = json.loads((tmp_path / "map" / "sweep.json").read_text("utf-8"))

    assert code == ExitCode.INTERRUPTED
    assert "interrupted: 2 of 3 points" in text
    assert [line["users"] for line in lines] == ["20.0", "30.0"]
    assert told["interrupted"] is True
    assert "interrupted: 1 of 3" in (tmp_path / "map" / "sweep.html").read_text("utf-8")


def test_a_sweep_of_a_million_points_is_refused_with_its_time(tmp_path: Path) -> None:
    """It says how long it would take, and the flag that asks for it; nothing is left behind."""
    with pytest.raises(UsageError, match=r"1,000,000 points would take about .*--big"):
        _sweep(tmp_path / "map", "refresh=2s..60s/1000", "outage=1s..60s/1000")
    assert not (tmp_path / "map").exists()


def test_seeds_and_compare_have_no_meaning_in_a_sweep() -> None:
    """Refused before anything runs."""
    with pytest.raises(UsageError, match="--seeds and --compare"):
        command.sweep_command(SimulateOptions(_world(), seeds=3), ["users=20..40"], Console(quiet=True), big=False)
