"""The compiled engines are compiled once for all workers: half a minute each that only the first of them spends."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest

from mockbot.simulate.engines import start
from tests.simulate.build import scenario


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _play(engine: Literal["fast", "fluid"]) -> None:
    if find_spec("numba") is None:
        return
    with _one_at_a_time(Path(tempfile.gettempdir()) / f"mockbot-compiles-{engine}"):
        if engine == "fluid":
            from mockbot.simulate.fluid.run import Fluid  # noqa: PLC0415 - numba is an extra

            Fluid(scenario()).play(1.0)
            return
        run = start(engine, scenario(), 1, lambda _: None)
        run.play(1.0)
        run.finish()


@pytest.fixture(scope="session", autouse=True)
def fast_is_compiled() -> None:
    """Whoever comes first compiles; the others wait for it, and load what numba has kept."""
    _play("fast")


@pytest.fixture(scope="session")
def fluid_is_compiled() -> None:
    """The same for the fluid."""
    _play("fluid")
