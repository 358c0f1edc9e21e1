"""Four workers, each on a machine of which one alone cannot make the load, make three times what it can."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from mockbot.evidence.verdict import judge
from tests.benchmarks.test_workers import locust_of, steady
from tests.load.runs import Ran
from tests.networks.cpu_share import cpu_share, needs_cpu_shares
from tests.networks.machines import Machine, machines, needs_machines
from tests.networks.runs import Elsewhere, waiting_run

pytestmark = [needs_machines, needs_cpu_shares, pytest.mark.nightly, pytest.mark.timeout(300)]
SHARE = 0.12  # of a core: what a machine that makes load has
USERS = 60  # as many as it can make, with room


def _ran(run: Elsewhere, pids: list[int]) -> Ran:
    """Slow from the first prompt on: each of these processes on a machine of its own."""
    with ExitStack() as stack:
        for pid in pids:
            stack.enter_context(cpu_share(SHARE)).write_text(f"{pid}")
        ran = run.ran()
        assert run.codes() == [0] * len(run.workers), run.said()
        return ran


def _alone(folder: Path, machine: Machine, users: int) -> Ran:
    with waiting_run(folder, machine, steady(users), 0) as run:
        run.until(lambda: run.begun)
        return _ran(run, [locust_of(run.run.pid).pid])


def test_four_workers_make_three_times_the_load_of_one_process(tmp_path: Path) -> None:
    """One process makes USERS in time and three times as many not; four workers do."""
    with machines(5, delay=0.0) as (master, *others):
        one = _alone(tmp_path / "one", master, USERS)
        too_many = _alone(tmp_path / "too-many", master, 3 * USERS)
        with waiting_run(tmp_path / "four", master, steady(3 * USERS), 4, "--wait", "120s") as run:
            for machine in others:
                run.join(machine)
            run.until(lambda: run.begun)
            four = _ran(run, [worker.pid for worker in run.workers])

    made = [len(ran.prompts) for ran in (one, too_many, four)]
    print(f"prompts of one {made[0]}, of one that is asked for three times as many {made[1]}, of four {made[2]}")  # noqa: T201 - for the log
    assert [ran.code for ran in (one, too_many, four)] == [0, 3, 0], (one.output, too_many.output, four.output)
    reasons = judge(too_many.evidence).reasons
    assert any("fell behind its schedule" in each for each in reasons), reasons
    assert made[2] > 2.9 * made[0]
