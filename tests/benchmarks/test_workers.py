"""What a worker costs beside a process that makes the same load by itself: whether four make three times its load.

A machine with two cores cannot show that load. It shows what bounds it, at the same load for one of each: the CPU time
of a prompt in a worker, in the master that takes its records, and in a process that makes and records all by itself.
"""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run_info
from tests.networks.machines import Machine
from tests.networks.runs import waiting_run

pytestmark = [pytest.mark.benchmark, pytest.mark.live, pytest.mark.timeout(300)]
LOOPBACK = "127.0.0.1"
WORKERS = 4
LOAD = """
name: load
title: A steady load of short answers
speed: 1
providers: {main: {answer: {first_token: 50ms, tokens: {median: 20, p95: 40}, pace: 100/s}}}
crowd: {users: {users: 100%, policy: once, think: 1s, patience: 30s}}
phases: [{name: steady, lasts: 20s, users: USERS}]
expect: [{availability: ">= 95%"}]
"""


class Here(Machine):
    """This machine, without a namespace."""

    def command(self, *words: str | Path) -> list[str]:
        return [*map(str, words)]


def cpu_of(process: psutil.Process) -> float:
    """Seconds so far, of a process that may have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def steady(users: int) -> str:
    """The scenario."""
    return LOAD.replace("USERS", str(users))


def locust_of(parent: int) -> psutil.Process:
    """The Locust process that `mockbot run` has started."""
    children = psutil.Process(parent).children()
    return next(child for child in children if "locust" in child.cmdline())


def spent(processes: list[psutil.Process], going: Callable[[], bool]) -> list[float]:
    """CPU seconds of each from now to the end of its run."""
    first = [cpu_of(process) for process in processes]
    last = first
    while going():
        last = [max(before, cpu_of(process)) for before, process in zip(last, processes, strict=True)]
        time.sleep(0.1)
    return [after - before for before, after in zip(first, last, strict=True)]


def prompts(folder: Path) -> int:
    info = read_run_info(RunFolder(folder))
    assert info is not None
    return (info.records or {})["prompts"]


def test_four_workers_can_make_three_times_the_load(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """A prompt costs a worker at most 4/3 of what it costs one process, and their master at most a third."""
    here = Here("", LOOPBACK)
    with waiting_run(tmp_path / "one", here, steady(200), 0) as run:
        run.until(lambda: run.begun)
        (cpu,) = spent([locust_of(run.run.pid)], lambda: run.run.poll() is None)
        one = cpu / prompts(run.folder)
    with waiting_run(tmp_path / "worker", here, steady(200), 1, "--wait", "120s") as run:
        run.join(here)
        run.until(lambda: run.begun)
        processes = [locust_of(run.run.pid), psutil.Process(run.workers[0].pid)]
        cpu_of_master, cpu_of_worker = spent(processes, lambda: run.run.poll() is None)
        made = prompts(run.folder)
        log = (run.folder / "logs" / "locust.log").read_text("utf-8")
    worker, master = cpu_of_worker / made, cpu_of_master / made
    sent = int(log.partition("workers sent ")[2].split(" ", 1)[0])
    reach = min(WORKERS * one / worker, one / master)

    costs = [f"{1e3 * seconds:.2f} ms" for seconds in (one, worker, master)]
    tell(f"CPU of a prompt: one process {costs[0]}, a worker {costs[1]}, their master {costs[2]}")
    tell(f"four workers on own cores reach {reach:.1f} times the load; {sent / made:.0f} bytes for each prompt")
    assert reach >= 3
