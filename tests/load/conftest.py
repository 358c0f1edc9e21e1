"""Programs that import locust, run as child processes; their output is JSON."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.load.fault_server import FaultServer, fault_server

ROOT = Path(__file__).parents[2]
Inside = Callable[..., Any]


@pytest.fixture(scope="session")
def inside() -> Inside:
    """`inside("attempts", *arguments)`: run tests/load/inside/attempts.py in a child and read the JSON it prints."""

    def run(program: str, *arguments: str) -> Any:
        command = [sys.executable, "-m", f"tests.load.inside.{program}", *arguments]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture(scope="module")
def faults() -> Iterator[FaultServer]:
    """The server that breaks on purpose."""
    with fault_server() as server:
        yield server
