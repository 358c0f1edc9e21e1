"""A real browser for tests of pages: Chromium as the machine has it, without what it asks of the network by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which

import pytest
from playwright.sync_api import Browser, sync_playwright

_PROGRAM = which("chromium")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = pytest.mark.skipif(_PROGRAM is None, reason="needs Debian's chromium: apt-get install chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A new one, which is closed whatever ends the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_PROGRAM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
