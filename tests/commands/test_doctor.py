"""`mockbot doctor`: what it looks at is this machine, and each hindrance comes with what to do."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.second]


def doctor(
    folder: Path, before: Callable[[], None] | None = None, **variables: str
) -> tuple[int, dict[str, tuple[str, str]]]:
    """Its exit code; of each thing that it looked at the mark and the sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "mockbot", "doctor"],
        cwd=folder,
        env={**os.environ, **variables},
        preexec_fn=before,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    looks = [line for line in done.stdout.splitlines() if line[:3].strip()[:3] in {"ok", "-", "?", "BAD"}]
    found = {line[5:17].strip(): (line[:3].strip(), line[18:]) for line in looks}
    assert done.returncode in {0, 4}, done.stderr
    return done.returncode, found


def test_a_machine_that_can_play_is_told_so(tmp_path: Path) -> None:
    """Service and proxy were started and asked, though the environment names a proxy that is not there."""
    code, found = doctor(tmp_path, HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")

    assert code == 0
    assert found["testbed"] == ("ok", "service and embedded proxy start on loopback, and answer")
    assert "HTTPS_PROXY, HTTP_PROXY: " in found["proxies"][1]
    assert {"system", "memory", "CPU", "timers", "clock", "descriptors", "ports", "folder", "browser"} <= set(found)


def test_few_descriptors_are_told_with_the_users_that_they_bear(tmp_path: Path) -> None:
    _, found = doctor(tmp_path, lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600)))

    assert found["descriptors"] == ("?", "a process may open 600")


def test_what_hinders_every_run_is_an_error(tmp_path: Path) -> None:
    """A file where run folders should be."""
    (tmp_path / "runs").write_text("", "utf-8")

    code, found = doctor(tmp_path)

    assert (code, found["folder"][0]) == (4, "BAD")
