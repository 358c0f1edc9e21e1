"""What the pytest plugin costs: who does not use it, and whose tests do. Figures printed, only ratios asserted.

Each round starts pytest twice side by side, so that a busy machine hurts both; CPU seconds of the whole process, best
of the rounds. `-n`, assertion rewriting and bytecode are as a user has them: the first round writes, none of it counts.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.live, pytest.mark.timeout(300)]
ROUNDS = 7
LEAN = ["-p", "no:locust", "-p", "no:schemathesis", "-p", "no:hypothesispytest"]
NOTHING = "def test_nothing():\n    pass\n"
USING = "".join(f"def test_{n}(mockbot):\n    pass\n" for n in range(6))


def started(folder: Path, *options: str) -> tuple[float, str]:
    """CPU seconds of a whole pytest process, and what it said."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(folder), *LEAN, *options]
    before = psutil.Process().cpu_times()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    after = psutil.Process().cpu_times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, done.stdout


def test_who_does_not_use_it_starts_as_fast(tmp_path: Path) -> None:
    """A suite without the fixture: with the plugin and without it."""
    (tmp_path / "test_nothing.py").write_text(NOTHING, "utf-8")
    pairs = [(started(tmp_path)[0], started(tmp_path, "-p", "no:mockbot")[0]) for _ in range(ROUNDS + 1)][1:]
    with_it, without = (min(each) for each in zip(*pairs, strict=True))

    print(f"pytest start: {with_it:.3f} CPU s with the plugin, {without:.3f} without: {with_it - without:+.3f}")  # noqa: T201
    assert with_it < 1.3 * without


def test_the_fixture_is_up_and_down_in_a_moment(tmp_path: Path) -> None:
    """Set-up and tear-down of the first test and of the later ones, and what a suite pays once for the imports."""
    (tmp_path / "test_using.py").write_text(USING, "utf-8")
    (tmp_path / "test_nothing.py").write_text(NOTHING, "utf-8")
    used, first, later, bare = [], [], [], []
    for _ in range(ROUNDS):
        cpu, said = started(tmp_path, "--durations=0", "-vv", "test_using.py")
        used.append(cpu)
        bare.append(started(tmp_path, "test_nothing.py")[0])
        spent = {n: sum(map(float, re.findall(rf"([\d.]+)s (?:setup|teardown) +\S+test_{n}\b", said))) for n in (0, 3)}
        first.append(spent[0])
        later.append(spent[3])

    once = min(used[1:]) - min(bare[1:])
    print(f"fixture up and down: {min(first):.2f} s the first time, {min(later):.2f} s later; ")  # noqa: T201
    print(f"six tests that use it: {once:.2f} CPU s more than a suite that does not")  # noqa: T201
    assert min(later) < min(bare)
