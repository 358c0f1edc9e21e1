"""How long a sweep takes, on all cores and on one: figures printed, only a ratio asserted.

The aim on two idle cores: 8 x 8 points of traffic-surge with 3 runs each within 60 s of wall time.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mockbot.simulate.all_cores import cores

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

SWEEP = [
    "simulate", "traffic-surge", "--sweep", "refresh=2s..30s/8", "--sweep", "users=40..200/8", "--seeds", "3", "--out",
]  # fmt: skip
ON = """
import os, sys
os.sched_setaffinity(0, set(map(int, sys.argv.pop(1).split(","))))
from mockbot.cli import cli
cli()
"""


def _swept(out: Path, allowed: set[int]) -> tuple[float, float, str]:
    """(wall seconds, CPU seconds, the table)."""
    line = [sys.executable, "-c", ON, ",".join(map(str, allowed)), *SWEEP, str(out)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(line, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, (out / "sweep.csv").read_text("utf-8")


@pytest.mark.skipif(cores() < 2, reason="there is one core")
def test_a_sweep_uses_all_cores(tmp_path: Path) -> None:
    """Its workers cost little CPU time beside the work, and the map is that of one core."""
    allowed = os.sched_getaffinity(0)
    found = {len(cpus): _swept(tmp_path / f"{len(cpus)}", cpus) for cpus in ({min(allowed)}, allowed)}

    for used, (wall, cpu, _) in found.items():
        print(f"\nsweep, 192 runs on {used} core(s): {wall:.1f} s, {cpu:.1f} CPU s", end="")  # noqa: T201
    (_, alone, one), (_, shared, every) = found.values()
    assert one == every
    assert shared < 1.7 * alone
