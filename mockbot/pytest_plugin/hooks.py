"""pytest's entry point: the fixture `mockbot`, its markers, two options. Imports nothing of mockbot until used.

def test_survives_a_blackout(mockbot):
    with mockbot.outage("unexpected-failure", speed=60) as outage: ...
"""

import gc
import importlib
import os
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockbot.process.managed_process import ManagedProcess
    from mockbot.pytest_plugin.fixture import Mockbot

NOT_SERVED = "mockbot_not_served"  # a property of a test's report
IN_USE = pytest.StashKey["Mockbot"]()
MARKER = (
    "outage(scenario, *, speed=None, start_at=None, length=None, allow=(), resilient=False): play this outage of "
    "mockbot while the test runs; resilient=True also asserts that the client is resilient in it"
)

INTERCEPT = (
    "intercept(*hosts): the test's client names no base URL; what it sends to the public hosts of providers, and to "
    "these, comes to mockbot by an HTTPS proxy"
)
TLS = "tls: the providers' base URLs are https, as faults of the TLS handshake need it; intercept has it, too"
_MARKERS = (MARKER, INTERCEPT, TLS)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--mockbot-report DIR`, `--mockbot-inconclusive error|xfail`."""
    group = parser.getgroup("mockbot", "mockbot: outages of chatbot APIs")
    report_help = "write a run folder for each outage to DIR, with its verdict"
    group.addoption("--mockbot-report", metavar="DIR", help=report_help)
    choice_help = "the result of a test whose client met no fault (error)"
    group.addoption("--mockbot-inconclusive", choices=("error", "xfail"), default="error", help=choice_help)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test needs the fixture, also when its function has no such argument."""
    marked = any(map(item.get_closest_marker, ("outage", "intercept", "tls")))
    if isinstance(item, pytest.Function) and marked and "mockbot" not in item.fixturenames:
        item.fixturenames.insert(0, "mockbot")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import the fixture's modules if a test will use them, before the time limits of tests begin to run."""
    if session.config.option.collectonly or sys.platform == "win32":
        return
    if any("mockbot" in getattr(item, "fixturenames", ()) for item in session.items):
        with _garbage_collection_off():
            importlib.import_module("mockbot.pytest_plugin.fixture")


@contextmanager
def _garbage_collection_off() -> Iterator[None]:
    """Imports make very many objects that stay; scanning them again and again is a third of the import's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@pytest.fixture(scope="session")
def _mockbot_process() -> "Iterator[ManagedProcess]":
    """The child process in which every test's service and proxy run. On Windows, where there is none: TestbedError."""
    if sys.platform == "win32":  # only here: a suite whose tests do not ask for the fixture is left alone
        from mockbot.errors import ON_WINDOWS, TestbedError  # noqa: PLC0415 - as below

        raise TestbedError(ON_WINDOWS)
    from mockbot.process.managed_process import ManagedProcess  # noqa: PLC0415 - not every suite uses it

    with ManagedProcess(["mockbot.pytest_plugin.testbed_process"]) as child:
        yield child


@pytest.fixture
def mockbot(
    request: pytest.FixtureRequest, _mockbot_process: "ManagedProcess", tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Mockbot]":
    """A real chatbot service behind a real proxy on free ports, with the SDKs' environment variables set to it."""
    from mockbot.pytest_plugin.fixture import Mockbot, inconclusive  # noqa: PLC0415 - heavy
    from mockbot.pytest_plugin.session_testbed import SessionTestbed  # noqa: PLC0415

    report_inconclusive = inconclusive(request.config.getoption("--mockbot-inconclusive"))
    root = request.config.getoption("--mockbot-report")
    name = re.sub(r"[^\w.-]+", "-", request.node.nodeid).strip("-")
    folder = None if root is None else _unused(Path(root).absolute() / name)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        intercepted = request.node.get_closest_marker("intercept")
        hosts = None if intercepted is None else intercepted.args
        with _garbage_collection_off():
            tls = request.node.get_closest_marker("tls") is not None
            testbed = stack.enter_context(closing(SessionTestbed(_mockbot_process.url, 1, hosts, tls=tls)))
            bot = Mockbot(testbed, patch.setenv, dict(os.environ), report_inconclusive, folder, tmp_path_factory)
        stack.callback(bot.close)
        marker = request.node.get_closest_marker("outage")
        if marker is not None:
            bot.play(*marker.args, **marker.kwargs)
        request.node.stash[IN_USE] = bot
        yield bot


def _unused(folder: Path) -> Path:
    """`folder`, or with -2, -3, ... behind its name: a suite runs again and again, and reports of before are kept."""
    return next(each for n in count(1) if not (each := folder.with_name(f"{folder.name}{f'-{n}' * (n > 1)}")).exists())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed although its client met no fault; keep what the client asked for in vain."""
    try:
        yield
        if (bot := item.stash.get(IN_USE, None)) is not None:
            bot.check()
    finally:
        if (bot := item.stash.get(IN_USE, None)) is not None:
            item.user_properties += [(NOT_SERVED, sentence) for sentence in bot.not_served()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end, what clients asked for and mockbot does not do; their tests may have passed."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind if getattr(each, "when", "") == "call"]
    told = [(each.nodeid, text) for each in reports for name, text in each.user_properties if name == NOT_SERVED]
    if told:
        terminalreporter.section("mockbot")
    for nodeid, text in told:
        terminalreporter.write_line(f"{nodeid}: {text}")
