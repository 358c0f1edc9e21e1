"""Packages that cannot live beside ours, because of what they pin or bring along: in a place of their own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


def environment_of(folder: Path, packages: Sequence[str]) -> Path:
    """A Python that has these; skips, loudly, where pip reaches no index."""
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    _install(python, packages)
    return python


def packages_in(folder: Path, packages: Sequence[str]) -> Path:
    """A folder for PYTHONPATH that has exactly these, for a process that has all they need; skips as above."""
    _install(Path(sys.executable), ["--no-deps", "--target", str(folder), *packages])
    return folder


def _install(python: Path, packages: Sequence[str]) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *packages]
    installed = subprocess.run(pip, capture_output=True, text=True, check=False)
    if "No matching distribution" in installed.stderr or "NewConnectionError" in installed.stderr:
        pytest.skip(f"{packages[-1]} NOT TESTED: pip reaches no index: {installed.stderr[-300:]}")
    assert installed.returncode == 0, installed.stderr
