"""Work for `test_all_cores`: workers import it, so it is in a module of its own."""

import os
import signal
import threading
from functools import partial
from hashlib import sha256
from pathlib import Path

from mockbot.simulate.all_cores import done_on_cores
from mockbot.simulate.engines import Engine
from mockbot.simulate.simulation import Memory, simulate
from tests.simulate.build import scenario


def square(number: int) -> int:
    """Its square."""
    return number * number


def pid(_: int) -> int:
    """Of the process that works."""
    return os.getpid()


def kill_at_two(number: int) -> int:
    """This process dies at 2."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def for_ever_after_one(number: int) -> int:
    """1 is done at once."""
    if number > 1:
        threading.Event().wait()
    return os.getpid()


def _tell_and_wait(folder: str, _: int) -> None:
    Path(folder, str(os.getpid())).touch()
    threading.Event().wait()


def wait_with_two_workers(folder: str) -> None:
    """Each worker puts a file with its id into the folder, and works on."""
    list(done_on_cores(partial(_tell_and_wait, folder), [1, 2], 2))


def records(task: tuple[Engine, int]) -> str:
    """A digest of every record of one run: of this engine, with this seed."""
    memory, digest = Memory(), sha256()
    simulate(scenario(faults=[{"http_error": 503, "share": "40%"}]), seed=task[1], sink=memory.take, engine=task[0])
    for record in (*memory.requests, *memory.seconds, *memory.actions):
        digest.update(repr(record).encode())
    return digest.hexdigest()
