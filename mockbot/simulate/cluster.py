"""Independent pieces of work on a dask cluster: as `done_on_cores`, with a scheduler's address instead of cores.

The same seed gives the same run on any machine that has the same code, so a cluster is only taken when each of its
workers has this mockbot, this Python and these numpy and numba: results are those of one machine, bit for bit.
"""

import platform
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar

from mockbot.errors import TestbedError, UsageError
from mockbot.simulate.all_cores import done_by
from mockbot.version import sources_digest

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

ANSWERS_WITHIN = 10.0  # wall seconds that the scheduler may take to answer first
_ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}/?")
_AHEAD = 2  # tasks for each thread of the cluster: one at work, one there
_SAME = ("mockbot", "numba", "numpy")
_SHOWN = 8  # characters of a digest


def versions() -> dict[str, str]:
    """What a simulation's figures depend on, of this interpreter; "none" for what is not installed."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found | {"sources of mockbot": sources_digest()[:_SHOWN]}


def threads_of(address: str) -> int:
    """How many runs the cluster makes at a time. Raises UsageError where it cannot be used, and says what to do."""
    with _client(address) as client:
        return _checked(client, address)


def done_on_cluster(work: Callable[[T], R], tasks: Iterable[T], address: str) -> Generator[tuple[T, R]]:
    """In the order in which they are done. `work` and tasks must be picklable, by names that the workers can import.

    Raises UsageError as `threads_of`, and TestbedError when the cluster is lost.
    """
    with _client(address) as client:
        from distributed import KilledWorker  # noqa: PLC0415 - an extra

        executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
        try:
            yield from done_by(executor, work, tasks, _AHEAD * _checked(client, address))
        except (KilledWorker, CancelledError, OSError) as error:  # a simulation itself does no I/O
            lost = f"the cluster at {address} has lost a run ({type(error).__name__}), which its logs explain"
            raise TestbedError(f"{lost}; give its workers more memory, and run again") from None
        finally:
            executor.shutdown(wait=False)


@contextmanager
def _client(address: str) -> Iterator["Client"]:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError("--on needs dask; pip install 'mockbot[dask]', here and for the workers") from None
    if _ADDRESS.fullmatch(address) is None:  # dask's own refusal takes half a minute and ends with a traceback
        raise UsageError(f"--on {address}: is no address of a scheduler; write it as tcp://HOST:8786")
    try:
        client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"--on {address}: no scheduler answers there ({why}); start one with `dask scheduler --port 8786`,"
            " and name it as tcp://HOST:8786"
        ) from None
    with client:
        yield client


def _checked(client: "Client", address: str) -> int:
    threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    if not threads:
        raise UsageError(f"--on {address}: the scheduler has no workers; start some with `dask worker {address}`")
    here = versions()
    try:
        found: dict[str, Any] = client.run(versions, on_error="return")
    except OSError as error:
        raise UsageError(
            f"--on {address}: its workers cannot be asked ({error}); install the same dask there"
        ) from None
    for worker, there in found.items():
        if not isinstance(there, dict):
            raise UsageError(f"--on {address}: the worker {worker} has no mockbot ({there}); {_install(here)}")
        if other := [f"{name} {there.get(name)}" for name in here if there.get(name) != here[name]]:
            raise UsageError(f"--on {address}: the worker {worker} has {', '.join(other)}; {_install(here)}")
    return sum(threads.values())


def _install(here: dict[str, str]) -> str:
    return f"its figures could differ. Give it {', '.join(f'{name} {value}' for name, value in here.items())}, as here"
