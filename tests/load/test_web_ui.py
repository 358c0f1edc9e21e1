"""An outage watched in a real browser: started from Locust's form, seen to change, read to its verdict."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.load.runs import background, family, wait_for

pytestmark = pytest.mark.e2e

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCENARIO = """
name: watched
title: An outage to be watched
speed: 5
providers: {main: {slots: 40, answer: {first_token: 200ms, tokens: {median: 20, p95: 40}, pace: 40/s}}}
crowd: {users: {users: 100%, policy: {name: fixed, attempts: 2, wait: 1s}, think: 3s, patience: 20s}}
phases:
  - {name: steady, lasts: 40s, users: 15}
  - {name: blackout, lasts: 40s, faults: [{http_error: 503}]}
  - {name: after, lasts: 30s}
expect: [{phase: steady, availability: ">= 50%"}]
"""
LONG = 60_000  # ms


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Locust's web UI with chat.py and no scenario chosen, but one file to choose."""
    (tmp_path / "watched.yaml").write_text(SCENARIO, "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("--web-host", "127.0.0.1", "--web-port", str(port), "--scenario", str(tmp_path / "watched.yaml"))
    with background(tmp_path / "ui", *arguments) as process:
        wait_for(lambda: process.poll() is not None or _listens(port))
        known = family(process.pid)
        yield f"http://127.0.0.1:{port}"
    _, left = psutil.wait_procs(known, timeout=10)
    assert left == []


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        yield browser


def _keep(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_an_outage_is_started_watched_and_judged_in_the_browser(address: str, browser: Browser, tmp_path: Path) -> None:
    """The form offers the scenarios; banner, bands, tab and page follow the phases; the verdict stands at the end."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(address)
    picker = page.locator("select[name=scenario]")
    expect(picker).to_be_visible()
    assert "traffic-surge" in picker.inner_text()
    _keep(page, tmp_path, "form")

    page.get_by_role("button", name="Start").click()
    banner = page.locator("#mockbot-banner")
    expect(banner).to_contain_text("steady", timeout=LONG)
    expect(banner).to_contain_text("Nothing is wrong")
    expect(banner).to_contain_text("http_error on main", timeout=LONG)

    page.get_by_role("tab", name="Charts").click()
    expect(page.locator(".mockbot-bands i").first).to_be_visible(timeout=LONG)
    _keep(page, tmp_path, "bands")
    page.get_by_role("tab", name="Outage").click()
    expect(page.get_by_role("cell", name="2. blackout")).to_be_visible(timeout=LONG)
    _keep(page, tmp_path, "tab")

    page.goto(f"{address}/outage/")
    expect(page.locator("#now")).to_contain_text("http_error on main", timeout=LONG)
    expect(page.locator("#outcomes rect[fill]").first).to_be_attached()
    expect(page.locator("#verdict")).to_contain_text(re.compile("Verdict: (pass|inconclusive)"), timeout=LONG)
    phases = page.locator("#phases tbody tr td:first-child")
    assert phases.all_inner_texts() == ["1. steady", "2. blackout", "3. after"]
    _keep(page, tmp_path, "verdict")
    assert broken == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_a_desk_and_a_phone(
    address: str, browser: Browser, tmp_path: Path, width: int, theme: str
) -> None:
    """On a desk and on a phone, nothing is wider than the screen; in both themes, text stands out."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page.goto(address)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#mockbot-banner")).to_contain_text("steady", timeout=LONG)  # leaving sooner would cancel it
    page.goto(f"{address}/outage/")
    expect(page.locator("#outcomes rect[fill]").first).to_be_attached(timeout=LONG)
    _keep(page, tmp_path, f"{theme}-{width}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    front, back = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert abs(_light(front) - _light(back)) > 0.6


def _light(colour: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
