"""pytest's entry point: the fixture `mockbot`, the marker `outage`, two options. Imports nothing of mockbot until used.

def test_survives_a_blackout(mockbot):
    with mockbot.outage("unexpected-failure", speed=60) as outage: ...
"""

import gc
import importlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockbot.plugin.fixture import Mockbot
    from mockbot.plugin.theatre import Loop

IN_USE = pytest.StashKey["Mockbot"]()
MARKER = (
    "outage(scenario, *, speed=None, start_at=None, resilient=False): play this outage of mockbot while the test runs; "
    "resilient=True also asserts that the client behaved well in it"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--mockbot-report DIR`, `--mockbot-inconclusive error|xfail`."""
    group = parser.getgroup("mockbot", "mockbot: outages of chatbot APIs")
    group.addoption(
        "--mockbot-report", metavar="DIR", help="keep what was seen of each outage in DIR, with its verdict"
    )
    group.addoption(
        "--mockbot-inconclusive",
        choices=("error", "xfail"),
        default="error",
        help="what becomes of a test whose client never felt the outage (error)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test needs the fixture, whether it asks for it or not."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("outage") and "mockbot" not in item.fixturenames:
        item.fixturenames.insert(0, "mockbot")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import what it takes when a test is going to use it, before the clocks and time limits of tests begin to run."""
    if session.config.option.collectonly:
        return
    if any("mockbot" in getattr(item, "fixturenames", ()) for item in session.items):
        with _nothing_collected():
            importlib.import_module("mockbot.plugin.fixture")


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage collection: importing makes very many objects that stay, and looking through them all again and again
    is a third of the time that it takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@pytest.fixture(scope="session")
def _mockbot_loop() -> "Iterator[Loop]":
    """The event loop on which every test's service and proxy live."""
    from mockbot.plugin.theatre import Loop  # noqa: PLC0415 - nothing heavy for tests that do not use it

    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def mockbot(request: pytest.FixtureRequest, _mockbot_loop: "Loop") -> "Iterator[Mockbot]":
    """A real chatbot service behind a real proxy on free ports, with the SDKs' environment variables set to it."""
    from mockbot.plugin.fixture import Mockbot, undecided  # noqa: PLC0415 - nothing heavy for tests that do not use it
    from mockbot.plugin.theatre import Theatre  # noqa: PLC0415

    choice = undecided(request.config.getoption("--mockbot-inconclusive"))
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        with _nothing_collected():
            theatre = stack.enter_context(closing(Theatre(_mockbot_loop, seed=1)))
            bot = Mockbot(theatre, patch.setenv, dict(os.environ), choice, _folder(request.node))
        stack.callback(bot.close)
        marker = request.node.get_closest_marker("outage")
        if marker is not None:
            bot.play(*marker.args, **marker.kwargs)
        request.node.stash[IN_USE] = bot
        yield bot


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that passed although its client felt nothing has not passed."""
    yield
    bot = item.stash.get(IN_USE, None)
    if bot is not None:
        bot.check()


def _folder(item: pytest.Item) -> Path | None:
    root = item.config.getoption("--mockbot-report")
    return None if root is None else Path(root).absolute() / re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")
