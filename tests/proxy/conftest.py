"""Both engines for the conformance suite. The real one is skipped, loudly and with a count, where there is none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_server import find_toxiproxy, start_embedded, start_toxiproxy
from tests.proxy.wire import Control

SEED = 7
NO_REAL = "no real Toxiproxy (TOXIPROXY_SERVER, toxiproxy-server on PATH, or `server` in Go's bin)"


@pytest.fixture(scope="session")
def toxiproxy() -> Path:
    """The real server's program."""
    binary = find_toxiproxy(os.environ.get("TOXIPROXY_SERVER"))
    if binary is None:
        pytest.skip(NO_REAL)
    return binary


@pytest.fixture(scope="session")
def embedded_child() -> Iterator[ManagedProcess]:
    with start_embedded(SEED) as child:
        yield child


@pytest.fixture(scope="session")
def real_child(toxiproxy: Path) -> Iterator[ManagedProcess]:
    with start_toxiproxy(toxiproxy) as child:
        yield child


@pytest.fixture(scope="session", params=["embedded", "real"])
def engine_child(request: pytest.FixtureRequest) -> tuple[str, ManagedProcess]:
    kind = str(request.param)
    return kind, request.getfixturevalue(f"{kind}_child")


@pytest.fixture
def engine(engine_child: tuple[str, ManagedProcess]) -> Iterator[Control]:
    """Each engine in turn; what a test makes on it is deleted afterwards."""
    kind, child = engine_child
    control = Control(child.url, kind)
    yield control
    control.clean()


@pytest.fixture
def embedded(embedded_child: ManagedProcess) -> Iterator[Control]:
    """The embedded engine, for what only it does."""
    control = Control(embedded_child.url, "embedded")
    yield control
    control.clean()


@pytest.fixture
def real(real_child: ManagedProcess) -> Iterator[Control]:
    """The real server, for what is said of it."""
    control = Control(real_child.url, "real")
    yield control
    control.clean()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    missed = [report for report in terminalreporter.stats.get("skipped", []) if NO_REAL in str(report.longrepr)]
    if missed:
        terminalreporter.write_line(f"{len(missed)} TESTS AGAINST THE REAL TOXIPROXY DID NOT RUN: {NO_REAL}", red=True)
