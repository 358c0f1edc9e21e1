"""Independent pieces of work on all cores: work and its tasks in, each task with its result out as soon as it is done.

Each worker is a fresh interpreter with a pipe of its own. It ignores Ctrl-C, which reaches the whole terminal, and
SIGTERM: it ends with its parent, however that ends. A worker that dies is an error: its task would be missing in
silence. For the main thread only, which handles signals.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import TypeVar, cast

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
    context, left, busy = get_context("spawn"), iter(tasks), dict[Connection, T]()
    with ExitStack() as stack:
        before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}  # inherited
        for _, task in zip(range(workers), left, strict=False):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(work, theirs), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(process.kill)
            theirs.close()  # so that `ours` reads the end when the worker has ended
            ours.send(task)
            busy[ours] = task
        for number, handler in before.items():
            signal.signal(number, handler)
        while busy:
            for ready in wait(list(busy)):
                ours = cast("Connection", ready)  # `wait` returns what it was given
                try:
                    done = busy.pop(ours), ours.recv()
                    for task in left:
                        ours.send(task)
                        busy[ours] = task
                        break
                except (EOFError, OSError):
                    raise TestbedError(
                        "a process that simulates has ended before it was done; is memory short?"
                    ) from None
                yield done


def _serve(work: Callable[[T], R], pipe: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent has ended
        while True:
            pipe.send(work(pipe.recv()))


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    os._exit(1)
