"""A new fault is one module and its entry in a tuple, a new toxic two: CONTRIBUTING's walks in a copy of mockbot."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mockbot

PACKAGE = Path(mockbot.__file__).parent
TOYS = Path(__file__).parent / "toys"
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "tests.pytest_plugin.conftest"]
WITHOUT = [f"-pno:{plugin}" for plugin in ("locust", "schemathesis", "cacheprovider")]

pytestmark = [pytest.mark.live, pytest.mark.second]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a package `mockbot` of its own."""
    shutil.copytree(PACKAGE, tmp_path / "mockbot", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _add(copy: Path, toy: str, module: str) -> None:
    """Put a toy's file in place as `module`; import it and enter it in the tuple of its package, and touch no more."""
    text = (TOYS / toy).read_text("utf-8")
    file = copy / module
    file.write_text(text, "utf-8")
    name = re.findall(r"^class (\w+)\(", text, re.M)[-1]
    line = f"from {'.'.join(Path(module).with_suffix('').parts)} import {name}"
    init = file.with_name("__init__.py")
    new, changed = re.subn(
        r"^([A-Z]+: tuple\[type\[\w+\], \.\.\.\] = \()", rf"{line}\n\n\1{name}, ", init.read_text("utf-8"), flags=re.M
    )
    assert changed == 1
    init.write_text(new, "utf-8")


def _check(copy: Path, toy: str) -> None:
    """Run a toy's checks against the copy, in a process of their own."""
    shutil.copy(TOYS / f"check_{toy}.py", copy / f"test_{toy}.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(copy), str(PACKAGE.parent)])}
    run = [*PYTEST, *WITHOUT, "--rootdir", str(copy), f"test_{toy}.py"]
    result = subprocess.run(run, cwd=copy, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("toy", ["teapot", "second_thoughts"])
def test_a_fault_of_the_service_is_one_module(copy: Path, toy: str) -> None:
    """At the edge `teapot`, 418, and within an answer `second_thoughts`: in files, reports, simulated and live."""
    _add(copy, f"{toy}.py", f"mockbot/faults/{toy}.py")

    _check(copy, toy)


def test_a_toxic_is_one_module_for_the_language_and_one_for_the_proxy(copy: Path) -> None:
    """`swallow` lets some bytes pass and no more: in the fixture, simulated and live; not on the original Toxiproxy."""
    _add(copy, "swallow.py", "mockbot/faults/swallow.py")
    _add(copy, "swallow_toxic.py", "mockbot/proxy/toxics/swallow.py")

    _check(copy, "swallow")
