"""Work on all cores: each task's result comes once, no worker is left, and one that dies is an error."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mockbot.errors import TestbedError
from mockbot.simulate.all_cores import cores, done_on_cores
from tests.simulate import jobs


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_task_has_its_result(workers: int) -> None:
    """More tasks than workers, and more workers than tasks."""
    assert dict(done_on_cores(jobs.square, [1, 2, 3], workers)) == {1: 1, 2: 4, 3: 9}


def test_workers_are_processes_of_their_own() -> None:
    """As many as asked for; here there is at least one core."""
    pids = {pid for _, pid in done_on_cores(jobs.pid, range(4), 2)}

    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2
    assert cores() >= 1


def test_a_worker_that_dies_is_an_error() -> None:
    """Killed, as by a machine without memory; the others are ended."""
    with pytest.raises(TestbedError, match="has ended before it was done"):
        list(done_on_cores(jobs.kill_at_two, range(4), 2))


def test_workers_end_when_nobody_wants_the_rest() -> None:
    """As after Ctrl-C: nothing waits for work that takes for ever."""
    done = done_on_cores(jobs.for_ever_after_one, [1, 2], 2)
    _, pid = next(done)
    done.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """Killed with SIGKILL, in the midst of their work."""
    program = f"from tests.simulate import jobs; jobs.wait_with_two_workers({str(tmp_path)!r})"
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        while len(pids := list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        parent.kill()

    for each in pids:
        while Path(f"/proc/{each.name}").exists():  # the test's own limit ends it
            time.sleep(0.05)


def test_an_interrupt_is_the_parents(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal; only the parent tells of it."""
    program = f"from tests.simulate import jobs; jobs.wait_with_two_workers({str(tmp_path)!r})"
    with subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.killpg(parent.pid, signal.SIGINT)
        _, told = parent.communicate()

    assert told.count("KeyboardInterrupt") == 1
