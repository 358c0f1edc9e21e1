"""Independent pieces of work on all cores: work and its tasks in, each task with its result out as soon as it is done.

Seeds and sweeps are done by an executor of `concurrent.futures`: that of this module, or a cluster's (`cluster.py`). A
worker here is a fresh interpreter. It ignores Ctrl-C, which reaches the whole terminal, and SIGTERM: it ends with its
parent, however that ends. A worker that dies is an error: its task would be missing in silence. For the main thread
only, which handles signals.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

from mockbot.errors import TestbedError

T = TypeVar("T")
R = TypeVar("R")

START = 2.0  # wall seconds that a worker needs until it works; less work than that is done here


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_for(tasks: int, seconds: float) -> int:
    """How many are worth starting for tasks that take so many wall seconds one after the other."""
    return min(cores(), tasks) if seconds > 2 * START else 1


def done_on_cores(work: Callable[[T], R], tasks: Iterable[T], workers: int) -> Generator[tuple[T, R]]:
    """In the order in which they are done. `work` and tasks must be picklable. Raises TestbedError."""
    if workers <= 1:
        yield from ((task, work(task)) for task in tasks)
        return
    with _processes(workers) as executor:
        try:
            yield from done_by(executor, work, tasks, workers)
        except BrokenExecutor:
            raise TestbedError("a process that simulates has ended before it was done; is memory short?") from None


def done_by(executor: Executor, work: Callable[[T], R], tasks: Iterable[T], most: int) -> Generator[tuple[T, R]]:
    """In the order in which they are done; at most so many tasks are with the executor at a time.

    Raises what the executor, or the work, raises.
    """
    left = iter(tasks)
    with _no_interruption():  # the first calls start a pool's processes
        pending: dict[Future[R], T] = {executor.submit(work, task): task for task in islice(left, most)}
    while pending:
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            task, result = pending.pop(future), future.result()
            for another in islice(left, 1):
                pending[executor.submit(work, another)] = another
            yield task, result


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """A pool whose processes are killed at the end, whatever they do."""
    others = set(active_children())
    executor = ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent)
    try:
        yield executor
    finally:
        for process in set(active_children()) - others:
            process.kill()
        executor.shutdown(cancel_futures=True)


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Processes that are started meanwhile inherit it, from their first moment on."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
