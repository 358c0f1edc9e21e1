"""The fast engine is compiled once for all workers: half a minute that only the first of them spends."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from mockbot.simulate.engines import start
from tests.simulate.build import scenario


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def fast_is_compiled() -> None:
    """The first worker compiles; the others wait for it, and load what numba has kept."""
    if find_spec("numba") is None:
        return
    with _one_at_a_time(Path(tempfile.gettempdir()) / "mockbot-compiles-fast"):
        run = start("fast", scenario(), 1, lambda _: None)
        run.play(1.0)
        run.finish()
