"""Sweeps: axes are read with care, a map is right as far as it got and goes on from there, theory is drawn over it."""

import csv
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from mockbot.cli import cli
from mockbot.commands import sweep as command
from mockbot.commands.simulate import SimulateOptions
from mockbot.errors import ExitCode, UsageError
from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.engines import Engine
from mockbot.simulate.sweep.axes import Axis, at_point, parse_axis
from mockbot.simulate.sweep.grid import Ran, Sweep, Task, begin, play
from mockbot.simulate.sweep.laws import LOAD, SAFE, TIPS, margins
from mockbot.units.quantities import Ramp
from tests.simulate.build import scenario

fast = pytest.mark.skipif(find_spec("numba") is None, reason="the fast engine is not installed")

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


def test_arrivals_are_an_axis_of_their_own() -> None:
    """A rate may be a fraction; a file without arrivals, or without users, names the other axis."""
    visits = scenario(
        crowd={"all": {"arrivals": "100%", "policy": "once"}},
        phases=[{"name": "all", "lasts": "9m", "arrivals": "2/s"}],
    )
    axis = parse_axis("arrivals=0.5..8/2")

    assert at_point(visits, [axis], [0.5]).phases[0].arrivals == Ramp(0.5, 0.5)
    assert axis.words(0.5) == "0.5/s"
    with pytest.raises(UsageError, match="take --sweep arrivals"):
        begin(visits, [parse_axis("users=5..9")])
    with pytest.raises(UsageError, match="take --sweep users"):
        begin(_world(), [axis])


def test_an_outage_of_another_length_takes_along_what_it_owns() -> None:
    """Its faults with times of their own, and the status page; the other phases stay."""
    world = scenario(
        [{"crash": True, "at": "20s", "lasts": "10s"}, {"http_error": 503, "at": "25s", "lasts": "15s"}],
        status_page=[{"at": "bad+50s", "state": "investigating"}, {"at": "after+10s", "state": "resolved"}],
    )
    timeline = Timeline(at_point(world, [parse_axis("outage=10s..60s/2")], [40.0]))

    assert [(span.start, span.end) for span in timeline.faults] == [(140, 160), (150, 180)]
    assert [(phase.start, phase.end) for phase in timeline.phases] == [(0, 100), (100, 300), (300, 400)]
    assert [timeline.at(t).status is None for t in (199, 201)] == [True, False]
    assert timeline.at(310).status != timeline.at(309).status


def test_a_surge_is_an_outage_of_its_own_length() -> None:
    """A file without faults has the phases of its larger crowd stretched."""
    surge = load_scenario(find("traffic-surge"))

    longer = Timeline(at_point(surge, [parse_axis("outage=1m..1h")], [480.0]))

    assert {phase.name: phase.end - phase.start for phase in longer.phases} == {
        "steady": 120, "rush": 60, "surge": 360, "ebb": 60, "after": 360,
    }  # fmt: skip


def test_an_axis_that_means_nothing_here_is_refused() -> None:
    """A crowd that never reloads has no refresh interval."""
    with pytest.raises(UsageError, match="a group whose policy is refresh"):
        begin(scenario([{"crash": True}]), [parse_axis("refresh=2s..60s")])
    with pytest.raises(UsageError, match="nothing goes wrong"):
        begin(scenario(phases=[{"name": "all", "lasts": "9m", "users": 9}]), [parse_axis("outage=2s..60s")])


@pytest.mark.second
@pytest.mark.parametrize("engine", ["reference", pytest.param("fast", marks=fast)])
@pytest.mark.usefixtures("fast_is_compiled")
def test_fast_reloading_sticks_and_slow_reloading_does_not(engine: Engine) -> None:
    """Beyond both laws' edges the map says what they say, on both engines."""
    axes = [parse_axis("users=690..700/2"), parse_axis("refresh=5s..90s/2")]
    calm, bad, after = _world().phases
    longer = after.model_copy(update={"lasts": 500.0})  # several of the slow crowd's reloads
    world = _world().model_copy(update={"phases": (calm, bad, longer)})
    quick, slow = (play(world, axes, engine, Task((1, row), 1)) for row in (0, 1))

    assert (quick.state, slow.state) == ("stuck", "recovered")
    assert quick.well < 0.1
    assert slow.well > 0.95
    assert max(quick.margins.values()) < 0 < min(slow.margins.values())


def test_theory_counts_the_slots_with_the_queue() -> None:
    """An admitted request waits for both: edge14.yaml sticks at 13, 14 and 15 s, where (32 + 8) / C = 15.6 s."""
    world = _edge14()
    spec = world.providers["main"]
    safe = theory.refresh_safe(100, 32, 8, answers_per_second(spec))
    ran = play(world, [parse_axis("refresh=14s..17s/2")], "reference", Task((0, 0), 1))

    assert safe == pytest.approx(15.6, abs=0.1)
    assert ran.margins[SAFE] == pytest.approx(14 / safe - 1, abs=1e-3)
    assert ran.state == "stuck"
    assert ran.well < 0.5


def test_a_law_is_told_of_what_it_is_about_only() -> None:
    """A crowd that all reloads at one interval at a FIFO queue; a loss of the queue; arrivals with known attempts."""
    share = {"users": "50%", "think": "99s"}
    reloading = {"every": "30s", "name": "refresh"}
    crowd = {"some": {**share, "policy": reloading}, "others": {**share, "policy": "backoff"}}
    visits = {"arrivals": "100%", "policy": {"name": "fixed", "attempts": 4}}
    phases = [{"name": "all", "lasts": "9m", "arrivals": "2/s"}]
    spec, lifo = {"slots": 3, "answer": ANSWER}, {"queue": {"order": "lifo"}}

    assert set(margins(_world())) == {SAFE, TIPS}
    assert set(margins(_edge14())) == {SAFE}  # its outage keeps the queue
    assert margins(scenario([{"crash": True}], crowd=crowd)) == {}
    assert margins(scenario([{"crash": True}], provider=lifo, group={"policy": reloading})) == {}
    assert margins(scenario(provider=spec, crowd={"all": visits}, phases=phases)) == {LOAD: pytest.approx(10 / 8 - 1)}
    assert margins(scenario(crowd={"all": visits | {"policy": "openai-python"}}, phases=phases)) == {}


def _edge14() -> Scenario:
    answer = {"first_token": "700ms", "tokens": {"median": 24, "p95": 40}, "pace": "10/s"}
    return scenario(
        slo="60s",
        provider={"slots": 8, "queue": {"limit": 32}, "answer": answer},
        group={"policy": {"name": "refresh", "every": "14s"}, "think": "60s", "patience": "2h"},
        phases=[
            {"name": "calm", "lasts": "5m", "users": 100},
            {"name": "out", "lasts": "10m", "faults": [{"capacity": "0%"}]},
            {"name": "after", "lasts": "30m"},
        ],
    )


FILES: dict[str, dict[str, Any]] = {
    "cut": {"faults": [{"cut": {"after_tokens": 5}}]},
    "reset_peer": {"faults": [{"reset_peer": "100ms"}]},
    "timeout": {"faults": [{"timeout": "5s"}]},
    "slow": {"faults": [{"slow": {"first_token": "5s"}}]},
    "wire": {"faults": [{"latency": "2s"}, {"bandwidth": "2000/s"}]},
    "until the end": {"phases": [{"name": "bad", "lasts": "100s", "users": 9, "faults": [{"crash": True}]}]},
    "nothing wrong": {"phases": [{"name": "all", "lasts": "100s", "users": 9}]},
    "arrivals": {
        "crowd": {"all": {"arrivals": "100%", "policy": "once"}},
        "phases": [{"name": "all", "lasts": "100s", "arrivals": "1/s"}],
    },
    "status page": {
        "faults": [{"http_error": 503}],
        "group": {"policy": "informed"},
        "status_page": [{"at": "bad+5s", "state": "investigating"}, {"at": "after", "state": "resolved"}],
    },
    "fail-over": {
        "faults": [{"crash": True, "on": "main"}],
        "providers": {"main": {}, "second": {}},
        "group": {"uses": "main", "falls_over_to": "second", "policy": "backoff"},
    },
}


@pytest.mark.parametrize("name", FILES)
def test_a_sweep_takes_every_file_that_simulate_takes(name: str) -> None:
    """Faults of the wire and of streams, fail-over, a status page, arrivals, an outage without calm or end."""
    spec = FILES[name] | {"name": "file"}
    world = scenario(spec.pop("faults", None), **spec)
    sweep = begin(world, [parse_axis("slots=100..1000/2")])

    ran = play(world, sweep.axes, "reference", Task((1, 0), world.seed))

    assert ran.state in {"recovered", "stuck"}
    assert (ran.state == "stuck") == (name == "until the end")


@pytest.mark.second
@pytest.mark.parametrize("file", sorted(Path("scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_bundled_outage_can_be_swept(file: Path) -> None:
    """Over slots, which all of them have."""
    world = load_scenario(file)
    sweep = begin(world, [parse_axis("slots=1..100/2")], "reference")

    assert play(world, sweep.axes, "reference", Task((1, 0), world.seed)).state != "unasked"


def test_the_fast_engine_plays_a_sweep_where_it_can() -> None:
    """The reference plays what the fast engine cannot, so that a sweep takes whatever a run takes."""
    axes = [parse_axis("slots=3..9/2")]
    hedged = {"policy": {"name": "backoff", "hedge": "2s"}}

    assert begin(_world(), axes).engine == ("fast" if find_spec("numba") else "reference")
    assert begin(_world(), axes, "reference").engine == "reference"
    assert begin(scenario([{"crash": True}], group=hedged), axes).engine == "reference"
    with pytest.raises(UsageError, match=r"--engine fast: .*(hedge|numba)"):
        begin(scenario([{"crash": True}], group=hedged), axes, "fast")


def _small() -> Scenario:
    """Eight users reload at one slot: with a second between two reloads it stays down, with 20 it does not."""
    return scenario(
        [{"crash": True}],
        provider={"slots": 1, "queue": {"limit": 100}, "answer": ANSWER | {"pace": "30/s"}},
        group={"policy": {"name": "refresh", "every": "30s"}, "think": "20s", "patience": "2h"},
        slo="10s",
    )


def _sweep(
    out: Path | None, *axes: str, seeds: int = 1, world: Scenario | None = None, big: bool = False
) -> tuple[ExitCode, str]:
    console = Console(record=True, width=120, quiet=False, file=StringIO())
    options = SimulateOptions(world or _small(), seeds=seeds, out=out, command="typed", engine="reference")
    code = command.sweep_command(options, axes, console, big=big)
    return code, console.export_text()


def _lines(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "sweep.csv").read_text("utf-8").splitlines()))


def _json(folder: Path) -> Any:
    return json.loads((folder / "sweep.json").read_text("utf-8"))


def test_a_sweep_leaves_a_map_a_table_and_a_page(tmp_path: Path) -> None:
    """One character a point with theory's edge, a line a point, and the charts with the command."""
    code, text = _sweep(tmp_path / "map", "users=8..12/3", "refresh=2s..20s/2", seeds=2)
    lines, told = _lines(tmp_path / "map"), _json(tmp_path / "map")
    page = (tmp_path / "map" / "sweep.html").read_text("utf-8")

    assert code == ExitCode.PASS
    assert "engine: reference" in text
    assert re.search(r"6 points, 2 runs each, about \S+ on \d+ core", text)
    assert "/ the edge of theory" in text
    assert "recovered: in the last 25s 90 % of the users who were well in the calm" in text
    assert len(lines) == 6
    assert {line["runs"] for line in lines} == {"2"}
    assert told["axes"]["users"] == [8.0, 10.0, 12.0]
    assert told["interrupted"] is False
    assert told["points"][0]["margins"]
    assert "typed" in page
    assert 'id="chart-states"' in page


def test_a_point_with_several_seeds_says_how_many_did_not_recover(tmp_path: Path) -> None:
    """With the interval of their share; the edge of a row with its own."""
    _sweep(
        tmp_path / "map", "refresh=2.4s..20s/6", seeds=3, world=at_point(_small(), [parse_axis("users=8..9/2")], [8.0])
    )
    lines, (edge,) = _lines(tmp_path / "map"), _json(tmp_path / "map")["edges"]

    first, last = lines[0], lines[-1]
    assert (first["state"], first["down"], first["down_low"], first["down_high"]) == ("stuck", "3", "0.2924", "1.0")
    assert (last["state"], last["down"], last["down_low"], last["down_high"]) == ("recovered", "0", "0.0", "0.7076")
    assert edge["low"] is None or edge["low"] < edge["high"]
    assert edge["theory"]


def test_one_run_of_each_point_tells_no_edge_and_says_what_would(tmp_path: Path) -> None:
    """Three points of one run each are too few for an interval; theory's edge is in the table."""
    _, text = _sweep(tmp_path / "map", "refresh=2.4s..20s/3", world=_small())
    _, more = _sweep(tmp_path / "more", "refresh=2.4s..20s/3", world=_small(), seeds=6)

    assert "too few runs to tell; take --seeds 6" in text
    assert re.search(r"refresh (between \S+ and|below|above) \S+; \S+ by r = min", more)


def test_two_axes_are_given_in_either_form(tmp_path: Path) -> None:
    """Two options, or one and an argument; never is one dropped, and a third is refused."""
    file = tmp_path / "outage.yaml"
    file.write_text(scenario_yaml(_small()), "utf-8")
    one, two, three = "users=10..20/2", "slots=1..3/2", "queue=1..3/2"

    def typed(*words: str) -> tuple[int, str]:
        run = CliRunner().invoke(cli, ["simulate", str(file), "--engine", "reference", *words])
        return run.exit_code, str(run.exception)

    assert typed("--sweep", one, "--sweep", two, "--out", str(tmp_path / "a"))[0] == 0
    assert typed("--sweep", one, two, "--out", str(tmp_path / "b"))[0] == 0
    assert _lines(tmp_path / "a") == _lines(tmp_path / "b")
    assert len(_lines(tmp_path / "a")) == 4
    assert "one axis, or two" in typed("--sweep", one, "--sweep", two, three, "--out", str(tmp_path / "c"))[1]
    assert not (tmp_path / "c").exists()


# -- interrupted ---------------------------------------------------------------------------------------------------


def _stop_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C when so many runs are done."""
    done = 0

    def stopping(world: Scenario, axes: tuple[Axis, ...], engine: Engine, task: Task) -> Ran:
        nonlocal done
        done += 1
        if done > count:
            raise KeyboardInterrupt
        return play(world, axes, engine, task)

    monkeypatch.setattr(command, "estimate", lambda *_, **__: 1.0)
    monkeypatch.setattr(command, "play", stopping)


ESTIMATE = command.estimate


def test_a_map_is_kept_when_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C writes the points that are done, says so, and exits with 130."""
    _stop_after(2, monkeypatch)
    code, text = _sweep(tmp_path / "map", "users=20..40/3")

    assert code == ExitCode.INTERRUPTED
    assert "interrupted: 2 of 3 runs are there; the same command goes on from there" in text
    assert [line["users"] for line in _lines(tmp_path / "map")] == ["20.0", "30.0"]
    assert _json(tmp_path / "map")["interrupted"] is True
    assert "interrupted: 1 of 3" in (tmp_path / "map" / "sweep.html").read_text("utf-8")


def test_the_runs_that_tell_how_long_it_takes_are_kept_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the second of them. Before the first has ended there is nothing to keep."""
    _stop_after(1, monkeypatch)
    monkeypatch.setattr(command, "estimate", ESTIMATE)
    code, text = _sweep(tmp_path / "map", "users=20..40/3")
    _stop_after(0, monkeypatch)
    monkeypatch.setattr(command, "estimate", ESTIMATE)

    assert code == ExitCode.INTERRUPTED
    assert "interrupted: 1 of 3 runs are there" in text
    assert len(_lines(tmp_path / "map")) == 1
    with pytest.raises(KeyboardInterrupt):
        _sweep(tmp_path / "none", "users=20..40/3")
    assert not (tmp_path / "none").exists()


def test_the_same_command_goes_on_where_it_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is missing is played, and the map is that of a sweep in one go."""
    with monkeypatch.context() as patch:
        _stop_after(2, patch)
        _sweep(tmp_path / "map", "users=20..40/3")
    with (tmp_path / "map" / "sweep.jsonl").open("ab") as torn:
        torn.write(b'[[[2, 0], 1], {"state": "st')  # of a process that was killed while it wrote
    with monkeypatch.context() as patch:
        _stop_after(1, patch)
        code, text = _sweep(tmp_path / "map", "users=20..40/3")
    _sweep(tmp_path / "whole", "users=20..40/3")

    assert code == ExitCode.PASS
    assert "2 of 3 runs are there" in text
    assert _lines(tmp_path / "map") == _lines(tmp_path / "whole")
    with pytest.raises(UsageError, match="holds a run already"):
        _sweep(tmp_path / "map", "users=20..40/3")


def test_without_a_folder_it_goes_on_in_the_one_under_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of the same sweep that was interrupted; another sweep begins one of its own."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        _stop_after(1, patch)
        _sweep(None, "users=20..40/3")
    _, other = _sweep(None, "users=20..40/2")
    _, same = _sweep(None, "users=20..40/3")
    _, again = _sweep(None, "users=20..40/3")

    assert ["goes on in" in text for text in (other, same, again)] == [False, True, False]
    assert len({*(tmp_path / "runs").iterdir()} - {tmp_path / "runs" / "latest"}) == 3


def test_two_processes_do_not_sweep_into_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is refused while the first writes."""
    _stop_after(1, monkeypatch)
    _sweep(tmp_path / "map", "users=20..40/3")

    with (tmp_path / "map" / "sweep.jsonl").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process"):
            _sweep(tmp_path / "map", "users=20..40/3")


def _alive(group: int) -> bool:
    """Whether a process group has a process that has not ended; one that nobody has waited for has."""
    found = (stat.read_text().rpartition(")")[2].split() for stat in Path("/proc").glob("[0-9]*/stat") if stat.exists())
    return any(int(fields[2]) == group and fields[0] not in "ZX" for fields in found)


@pytest.mark.second
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_interrupt_on_all_cores_keeps_what_is_done(tmp_path: Path, number: int) -> None:
    """To the whole process group, as from a terminal. Exit code 130, all files of what is there, no worker left."""
    file, out = tmp_path / "outage.yaml", tmp_path / "map"
    file.write_text(scenario_yaml(_small()), "utf-8")
    typed = ["simulate", str(file), "--sweep", "users=20..200/40", "refresh=2s..40s/9", "--seeds", "9", "--big"]
    line = [sys.executable, "-m", "mockbot", *typed, "--engine", "reference", "--out", str(out)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        while not (out / "sweep.jsonl").exists() or (out / "sweep.jsonl").read_bytes().count(b"\n") < 8:
            assert run.poll() is None
            time.sleep(0.1)
        os.killpg(run.pid, number)
        told, errors = run.communicate()

    assert run.returncode == ExitCode.INTERRUPTED, errors
    assert "Traceback" not in errors
    assert "the same command goes on from there" in told
    assert _json(out)["interrupted"] is True
    assert len(_lines(out)) >= 1
    assert (out / "sweep.html").exists()
    while _alive(run.pid):  # the test's own limit ends it
        time.sleep(0.05)


# -- how long it takes -----------------------------------------------------------------------------------------------


def test_a_sweep_of_a_million_points_is_refused_with_its_time(tmp_path: Path) -> None:
    """It says how long it would take, and the flag that asks for it; nothing is left behind."""
    with pytest.raises(UsageError, match=r"1,000,000 points would take about .*--big"):
        _sweep(tmp_path / "map", "refresh=2s..60s/1000", "outage=1s..60s/1000")
    assert not (tmp_path / "map").exists()


def test_a_run_weighs_as_much_as_its_prompts() -> None:
    """So that the time left is told rightly where users grow along an axis."""
    sweep = Sweep(_world(), (parse_axis("users=10..1000/2"), parse_axis("outage=1m..10m/2")), "reference")
    weigh = command.weights(sweep)

    assert weigh(Task((1, 0), 1)) == pytest.approx(100 * weigh(Task((0, 0), 1)))
    assert weigh(Task((0, 1), 1)) > 2 * weigh(Task((0, 0), 1))


def test_what_no_sweep_can_do_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """Policies are not compared in it, and no point has no run."""
    compared = SimulateOptions(_world(), compare=("once",), out=tmp_path / "map")
    unseeded = SimulateOptions(_world(), seeds=0, out=tmp_path / "map")

    with pytest.raises(UsageError, match="leave --compare away"):
        command.sweep_command(compared, ["users=20..40"], Console(quiet=True), big=False)
    with pytest.raises(UsageError, match="--seeds 0; give 1 to 1000"):
        command.sweep_command(unseeded, ["users=20..40"], Console(quiet=True), big=False)
    assert not (tmp_path / "map").exists()
