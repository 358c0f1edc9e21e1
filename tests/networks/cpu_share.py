"""A slow machine: processes that get a share of one core only, by the quota of a control group (version 1 or 2)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

PERIOD = 10_000  # us: short, so that who has used up its share waits less than what counts as late
V1, V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")


@contextmanager
def cpu_share(share: float) -> Iterator[Path]:
    """The file that takes process ids; each that is written there gets, with the others, this share of one core."""
    group = Path(mkdtemp(prefix="mockbot-", dir=V1 if V1.exists() else V2))
    quota = round(share * PERIOD)
    try:
        if V1.exists():
            (group / "cpu.cfs_period_us").write_text(f"{PERIOD}")
            (group / "cpu.cfs_quota_us").write_text(f"{quota}")
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        yield group / "cgroup.procs"
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                (group.parent / "cgroup.procs").write_text(pid)
        group.rmdir()


@cache
def why_none() -> str:
    """Why this system has no such groups; "" when it has."""
    try:
        with cpu_share(0.5):
            return ""
    except OSError as error:
        return str(error)


needs_cpu_shares = pytest.mark.skipif(bool(why_none()), reason=f"LOAD OF SLOW MACHINES NOT TESTED: {why_none()}")
