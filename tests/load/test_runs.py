"""Whole runs: as many users as the scenario names; every end is recorded, loses no record, leaves no process."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from mockbot.errors import ExitCode
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.load.runs import ROOT, Ran, background, counts, family, free_port, rehearse, started, wait_for

pytestmark = pytest.mark.live

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CROWD = """
name: crowd
title: A crowd that comes and goes
speed: 4
providers: {main: {slots: 50, answer: {first_token: 200ms, tokens: {median: 20, p95: 40}, pace: 40/s}}}
crowd:
  free: {users: 75%, policy: once, think: 3s, patience: 20s}
  paid: {users: 25%, policy: sdk, think: 3s, patience: 20s, tier: plus}
phases:
  - {name: few, lasts: 10s, users: 8}
  - {name: many, lasts: 10s, users: 40}
  - {name: other, lasts: 10s, mix: {free: 10%, paid: 90%}}
  - {name: none-free, lasts: 10s, users: 6, mix: {free: 0%, paid: 100%}}
"""

HANG = """
name: hang
title: The service accepts and never answers
speed: 40
providers: {main: {slots: 50}}
crowd: {users: {users: 100%, policy: {name: once, timeout: 10m}, think: 1s, patience: 10m}}
phases: [{name: hang, lasts: 80s, users: 10, faults: [{stall: nothing}]}]
expect: [{availability: ">= 50%"}]
"""

SILENCE = """
name: silence
title: Nobody comes
speed: 10
providers: {main: {}}
crowd: {visitors: {arrivals: 100%, policy: once}}
phases: [{name: calm, lasts: 20s, arrivals: 0/s}]
expect: [{failed_users: "<= 0%"}]
"""

AWAY = """
name: away
title: A user that is failed leaves for an hour
speed: 10
providers: {main: {slots: 50}}
crowd: {users: {users: 100%, policy: once, think: 1s, patience: 10s, comes_back: 1h}}
phases: [{name: gone, lasts: 30s, users: 10, faults: [{http_error: 503}]}]
"""

LATE = ROOT / "tests" / "load" / "inside" / "late.py"  # a locustfile
LONG = """
name: long
title: An outage that nobody waits for the end of
speed: 10
providers: {main: {slots: 50}}
crowd: {users: {users: 100%, policy: backoff, think: 3s, patience: 30s}}
phases: [{name: steady, lasts: 20m, users: 10}]
"""

VISITORS = """
name: visitors
title: Somebody new comes all the time, for one prompt, or in bursts and for a whole session
seed: 5
speed: 10
providers: {main: {slots: 100, answer: {first_token: 100ms, tokens: {median: 5, p95: 9}, pace: 40/s}}}
crowd:
  visitors: {arrivals: 50%, policy: once, patience: 20s}
  talkers: {arrivals: 50%, burst: 4, session: 3, think: 2s, policy: once, patience: 20s}
phases:
  - {name: calm, lasts: 20s, arrivals: 4/s}
  - {name: surge, lasts: 20s, arrivals: 4/s -> 12/s}
"""


Counted = tuple[Ran, list[tuple[float, dict[str, int]]]]
MODES = pytest.mark.parametrize("arguments", [(), ("--processes", "2")], ids=["local", "two-processes"])


@pytest.fixture(scope="module", params=[(), ("--processes", "2")], ids=["local", "two-processes"])
def counted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """A run of CROWD, and how many users of each class there were every 50 ms, in scenario seconds."""
    folder = tmp_path_factory.mktemp("counted")
    locustfile, path = ROOT / "tests" / "load" / "inside" / "counting.py", folder / "counts"
    ran = rehearse(folder, CROWD, *request.param, locustfile=locustfile, environment={"COUNTS": str(path)})
    t0 = ran.info.t0
    assert t0 is not None, ran.output
    return ran, [((when - t0) * ran.info.speed, users) for when, users in counts(path)]


@pytest.mark.second
def test_every_group_has_exactly_its_users_in_every_phase(counted: Counted) -> None:
    """The end of a phase has exactly the users that the timeline says, of each group, though prompts are under way."""
    ran, seen = counted
    timeline = Timeline(read_scenario(CROWD))

    for phase in timeline.phases:
        late = [users for t, users in seen if phase.end - 3 < t < phase.end - 0.5]
        assert late, phase.name
        wanted = dict(timeline.at(phase.start).users)
        assert [{group: users.get(group, 0) for group in wanted} for users in late] == [wanted] * len(late), phase.name
    assert ran.info.ended == "completed"


@pytest.mark.second
def test_users_who_leave_finish_their_prompt(counted: Counted) -> None:
    """34 of 40 users are taken away while half of them wait for an answer, and no prompt is cut off."""
    ran, _ = counted
    last = Timeline(read_scenario(CROWD)).phases[-1].start  # who asks later may be cut off by the end of the run
    asked = {prompt.id: prompt.settled for prompt in ran.prompts if prompt.intended < last}

    assert set(asked.values()) == {"answered"}
    assert {attempt.outcome for attempt in ran.attempts if attempt.prompt in asked} == {"ok"}


@pytest.mark.nightly
@pytest.mark.second
def test_a_crowd_that_never_asks_does_not_pass(tmp_path: Path) -> None:
    """No visitor came, so none was failed: no data is no success, for Locust's exit code and for `mockbot run`."""
    ran = rehearse(tmp_path, SILENCE)
    file, folder = str(tmp_path / "scenario.yaml"), str(tmp_path / "again")
    again = subprocess.run(
        [sys.executable, "-m", "mockbot", "run", file, "--out", folder], capture_output=True, text=True, check=False
    )

    assert (ran.prompts, ran.code) == ([], ExitCode.INCONCLUSIVE), ran.output
    assert again.returncode == ExitCode.INCONCLUSIVE, again.stdout + again.stderr
    assert "no data is no success" in again.stdout


@pytest.mark.second
def test_a_user_who_was_failed_stays_away(tmp_path: Path) -> None:
    """With an hour's mean absence hardly anybody of ten asks again within 30 s, though all think for a second only."""
    ran = rehearse(tmp_path, AWAY)

    assert {prompt.user for prompt in ran.prompts} == {f"users-{n}" for n in range(1, 11)}, ran.output
    assert len(ran.prompts) <= 13  # 0.08 of them are expected to come back


@pytest.mark.second
def test_hung_prompts_are_in_the_journal_and_the_run_does_not_pass(tmp_path: Path) -> None:
    """A service that never answers gives no empty green run: every prompt that was sent is there, unfinished."""
    ran = rehearse(tmp_path, HANG)

    assert len(ran.prompts) == 10, ran.output
    assert {prompt.settled for prompt in ran.prompts} == {"unfinished"}
    assert {attempt.outcome for attempt in ran.attempts} == {"unfinished"}
    assert ran.code in {ExitCode.FAIL, ExitCode.INCONCLUSIVE}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], Ran]:
    """Runs that got a signal in their midst, by number of processes and signal; all side by side."""

    def run(processes: int, number: signal.Signals) -> Ran:
        folder = tmp_path_factory.mktemp("interrupted")

        def interrupt(process: "subprocess.Popen[str]") -> None:
            wait_for(lambda: started(folder / "run")() or process.poll() is not None)
            process.send_signal(number)

        arguments = ("--processes", str(processes)) if processes > 1 else ()
        return rehearse(folder, LONG, *arguments, meanwhile=interrupt)

    with ThreadPoolExecutor() as pool:
        runs = {(p, number.name): pool.submit(run, p, number) for p in (1, 2) for number in SIGNALS}
        return {how: found.result() for how, found in runs.items()}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.second
def test_an_interrupted_run_is_recorded_and_leaves_nothing(
    interrupted: dict[tuple[int, str], Ran], number: signal.Signals, processes: int
) -> None:
    """Exit code 130, run.json says interrupted, the journal is whole, and no process of the run is left."""
    ran = interrupted[processes, number.name]

    assert ran.code == ExitCode.INTERRUPTED, ran.output
    assert (ran.info.ended, ran.info.why) == ("interrupted", "a signal stopped it")
    assert ran.info.nodes == processes
    assert {attempt.prompt for attempt in ran.attempts} <= {prompt.id for prompt in ran.prompts}
    assert ran.alive == ()


@pytest.mark.nightly
@pytest.mark.second
def test_a_lost_worker_is_reported_and_its_users_go_on_elsewhere(tmp_path: Path) -> None:
    """One of two workers is killed: inconclusive, the loss is named, and the other worker has all the users."""

    def kill_one(process: "subprocess.Popen[str]") -> None:
        wait_for(lambda: started(tmp_path / "run")() or process.poll() is not None)
        workers = [child for child in family(process.pid)[1:] if "locust" in " ".join(child.cmdline())]
        workers[0].kill()

    ran = rehearse(tmp_path, LONG.replace("20m", "150s"), "--processes", "2", meanwhile=kill_one)

    assert ran.code == ExitCode.INCONCLUSIVE
    assert (ran.info.ended, ran.info.nodes, ran.info.lost_nodes) == ("lost_worker", 2, 1)
    assert max(health.users for health in ran.evidence.health if health.t > 100) == 10
    assert ran.alive == ()


def _latest_users(run: Path) -> dict[str, int]:
    """How many users each node had when it last said so."""
    lines = (run / "health.jsonl").read_text("utf-8").splitlines()
    return {health["node"]: health["users"] for health in map(json.loads, lines[:-1] if len(lines) > 1 else ())}


@pytest.mark.nightly
@pytest.mark.timeout(200)
@pytest.mark.second
def test_a_worker_that_joins_late_takes_its_share(tmp_path: Path) -> None:
    """--master and --worker apart: the second worker comes in the middle, and from then on has half of the users.

    Which reach it before it has been set up: the master sends them as soon as it is connected.
    """
    port = free_port()
    worker = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "1")

    with background(tmp_path / "first", *worker), ExitStack() as later:

        def join(process: "subprocess.Popen[str]") -> None:
            wait_for(lambda: started(tmp_path / "run")() or process.poll() is not None)
            later.enter_context(background(tmp_path / "second", *worker, locustfile=LATE))
            # However long a process takes to start: the run is on until both halves were seen, and ends then.
            wait_for(lambda: [*_latest_users(tmp_path / "run").values()] == [5, 5], 100)
            process.send_signal(signal.SIGINT)

        ran = rehearse(tmp_path, LONG, *master, meanwhile=join)

    assert (ran.info.ended, ran.info.nodes, ran.info.lost_nodes) == ("interrupted", 2, 0), ran.output
    assert {prompt.user.split("-")[1].split(".")[0] for prompt in ran.prompts} == {"0", "1"}  # both workers' users


@MODES
@pytest.mark.second
def test_open_users_arrive_as_scheduled_in_any_number_of_processes(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Every arrival of the schedule is a first prompt with that intended time, once, in one process or shared by two.

    Talkers come in bursts, and ask again after a while; visitors ask once.
    """
    ran = rehearse(tmp_path, VISITORS, *arguments)
    scenario = read_scenario(VISITORS)
    firsts = {
        group: sorted(p.intended for p in ran.prompts if p.group == group and p.id == f"{p.user}.1")
        for group in scenario.crowd
    }
    again = [prompt for prompt in ran.prompts if prompt.id != f"{prompt.user}.1"]

    for group, intended in firsts.items():
        assert intended == [round(t, 4) for t in arrivals(Timeline(scenario), group, scenario.seed)], ran.output
    assert {prompt.group for prompt in again} == {"talkers"}
    assert ran.info.loop == "partly open"


@MODES
@pytest.mark.second
def test_no_process_outlives_a_killed_parent(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """`kill -9` of whoever set the stage ends Locust and its workers, which say how the run ended before they go."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(LONG, "utf-8")
    command = [sys.executable, "-m", "tests.load.inside.parent", str(scenario), str(tmp_path / "run"), *arguments]
    parent = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(started(tmp_path / "run"))
        children = family(parent.pid)[1:]
    finally:
        parent.kill()
        parent.wait()
    _, left = psutil.wait_procs(children, timeout=20)

    assert [child.cmdline() for child in left] == []
    assert Ran(tmp_path / "run", 0, "", ()).info.ended == "interrupted"


@pytest.mark.second
def test_the_readmes_locustfile_plays_a_scenario(tmp_path: Path) -> None:
    """The example in loadtests/README.md: each class plays its group, and both leave the same records as ours."""
    readme = (ROOT / "loadtests" / "README.md").read_text("utf-8")
    mine = tmp_path / "mine.py"
    mine.write_text(readme.split("```python\n")[1].split("```")[0], "utf-8")
    scenario = CROWD.replace("speed: 4", "speed: 20").replace("free", "patient").replace("paid", "paying")

    ran = rehearse(tmp_path, scenario, locustfile=mine)

    assert ran.info.ended == "completed", ran.output
    assert {prompt.group for prompt in ran.prompts} == {"patient", "paying"}
