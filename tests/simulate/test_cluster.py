"""Seeds and sweeps on a dask cluster: the results of one machine, bit for bit; and what is said where it cannot be."""

import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mockbot.commands.simulate import SimulateOptions, simulate_command
from mockbot.commands.sweep import sweep_command
from mockbot.errors import TestbedError, UsageError
from mockbot.runs.folder import RunFile
from mockbot.simulate import cluster
from mockbot.simulate.all_cores import done_on_cores
from mockbot.simulate.cluster import done_on_cluster, threads_of, versions
from mockbot.simulate.engines import Engine
from tests.ports import free_ports
from tests.simulate import jobs
from tests.simulate.build import scenario

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")  # dask's own, of its sockets and loops


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Two workers of one thread on loopback, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made.scheduler_address


@pytest.mark.second
def test_each_task_has_its_result(scheduler: str) -> None:
    """More tasks than the cluster is given at a time."""
    assert threads_of(scheduler) == 2
    assert dict(done_on_cluster(jobs.square, range(20), scheduler)) == {n: n * n for n in range(20)}


def _table(options: SimulateOptions) -> list[str]:
    said = StringIO()
    simulate_command(options, Console(file=said, width=200))
    return said.getvalue().rpartition("whole run")[2].splitlines()


@pytest.mark.second
def test_seeds_say_the_same_as_on_this_machine(scheduler: str, tmp_path: Path) -> None:
    """Every figure of every column."""
    world = scenario(faults=[{"http_error": 503, "share": "50%"}], group={"policy": "backoff"})
    options = [
        SimulateOptions(world, seeds=4, compare=("once",), out=tmp_path / f"run{n}", on=on)
        for n, on in enumerate((None, scheduler))
    ]

    assert _table(options[0]) == _table(options[1])


@pytest.mark.second
def test_a_sweep_leaves_the_same_files_as_on_this_machine(scheduler: str, tmp_path: Path) -> None:
    """Byte for byte."""
    world = scenario(faults=[{"capacity": "20%"}], provider={"slots": 10, "queue": {"limit": 30}})
    left = []
    for n, on in enumerate((None, scheduler)):
        said = StringIO()
        options = SimulateOptions(world, seeds=2, engine="reference", out=tmp_path / f"run{n}", on=on)
        sweep_command(options, ["users=10..40/4", "outage=10s..60s/3"], Console(file=said, width=200), big=False)
        left.append([(tmp_path / f"run{n}" / file).read_bytes() for file in (RunFile.SWEEP_CSV, RunFile.SWEEP)])
        assert ("of the cluster" in said.getvalue()) == bool(on)

    assert left[0] == left[1]


@pytest.mark.second
@pytest.mark.usefixtures("fast_is_compiled")
def test_whole_runs_are_equal_bit_for_bit(scheduler: str) -> None:
    """Every record of a journal, of an engine each."""
    engines: tuple[Engine, ...] = ("reference", "fast")
    tasks = [(engine, seed) for engine in engines for seed in range(3)]
    here = dict(done_on_cores(jobs.records, tasks, 1))
    there = dict(done_on_cluster(jobs.records, tasks, scheduler))

    assert here == there
    assert len({*here.values()}) == len(tasks)


@pytest.mark.second
def test_a_worker_with_other_versions_is_told(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is played, with what to install."""
    monkeypatch.setattr(cluster, "_SAME", ("mockbot", "pydantic"))

    with pytest.raises(UsageError, match=r"the worker tcp://\S+ has pydantic None; .* Give it Python 3\.\d+, mockbot"):
        threads_of(scheduler)


@pytest.mark.second
def test_a_worker_with_other_code_of_the_same_version_is_told(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a checkout that somebody has changed; its figures could be others."""
    monkeypatch.setattr(cluster, "sources_digest", lambda: "0" * 64)

    with pytest.raises(UsageError, match=r"has sources of mockbot (?!0{8})\w{8}; .* of mockbot 0{8}, as here"):
        threads_of(scheduler)


@pytest.mark.second
def test_a_worker_that_dies_again_and_again_is_an_error(scheduler: str) -> None:
    """dask starts the task elsewhere a few times; then it is lost, and so the work."""
    with pytest.raises(TestbedError, match="has lost a run"):
        list(done_on_cluster(jobs.kill_at_two, range(4), scheduler))


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to start one."""
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 0.5)

    with pytest.raises(UsageError, match=r"no scheduler answers there .*`dask scheduler --port 8786`"):
        threads_of(f"tcp://127.0.0.1:{free_ports(1)[0]}")


@pytest.mark.parametrize("address", ["nonsense://x", "http://127.0.0.1:8786", "tcp://127.0.0.1", ""])
def test_an_address_that_is_none_is_told(address: str, tmp_path: Path) -> None:
    """At once; an empty one, as of a variable that is not set, is not this machine's cores."""
    with pytest.raises(UsageError, match=f"--on {address}: is no address of a scheduler"):
        simulate_command(SimulateOptions(scenario(), seeds=2, out=tmp_path / "x", on=address), Console(file=StringIO()))


def test_a_missing_extra_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip knows it."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(UsageError, match=r"pip install 'mockbot\[dask\]'"):
        threads_of("tcp://127.0.0.1:8786")


def test_one_run_is_not_shared_out(tmp_path: Path) -> None:
    """`--on` without seeds or a sweep would do nothing."""
    with pytest.raises(UsageError, match="add --seeds N, or a --sweep"):
        simulate_command(SimulateOptions(scenario(), out=tmp_path / "run", on="tcp://x:1"), Console(file=StringIO()))


def test_the_versions_are_those_of_this_interpreter() -> None:
    """What is not installed is named, too."""
    assert versions()["Python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert {"mockbot", "numba", "numpy"} < {*versions()}
