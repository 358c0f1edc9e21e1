"""An outage in a real browser: started from Locust's form, followed through its phases to the verdict."""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import chromium, needs_chromium
from tests.load.fault_server import FaultServer
from tests.load.runs import ROOT, background, family, wait_for

pytestmark = [pytest.mark.second, needs_chromium]

SCENARIO = """
name: watched
title: An outage to be watched
speed: 5
providers: {main: {slots: 40, answer: {first_token: 200ms, tokens: {median: 20, p95: 40}, pace: 40/s}}}
crowd: {users: {users: 100%, policy: {name: fixed, attempts: 2, wait: 1s}, think: 3s, patience: 20s}}
phases:
  - {name: steady, lasts: 30s, users: 15}
  - {name: blackout, lasts: 30s, faults: [{http_error: 503}]}
  - {name: after, lasts: 20s}
expect: [{phase: steady, availability: ">= 50%"}]
"""
LONG = 60_000  # ms
SIZES = {"laptop": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
SCREENSHOTS = Path(os.environ.get("MOCKBOT_SCREENSHOTS", ROOT / ".artifacts" / "screenshots"))
AUDIT = (ROOT / "tests" / "report" / "page_audit.js").read_text("utf-8")
TELLING = ROOT / "tests" / "load" / "inside" / "telling.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Locust runs."""
    return tmp_path_factory.mktemp("ui")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Locust's web UI; the command line names a file of ours as its scenario."""
    (folder / "our-file.yaml").write_text(SCENARIO, "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("--web-host", "127.0.0.1", "--web-port", str(port), "--stop-timeout", "7")
    scenario = ("--scenario", str(folder / "our-file.yaml"))
    with background(folder / "ui", *arguments, *scenario, locustfile=TELLING) as process:
        wait_for(lambda: process.poll() is not None or _listens(port))
        known = family(process.pid)
        yield f"http://127.0.0.1:{port}"
    _, left = psutil.wait_procs(known, timeout=10)
    assert left == []


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def _keep(page: Page, name: str) -> None:
    """A picture of what is there: <page>-<theme>-<width>.png, an artefact to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    theme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{page.evaluate('innerWidth')}.png", full_page=True)


def _keep_all(page: Page, name: str) -> None:
    """In every size and theme; the laptop in the light again afterwards."""
    for width, height in reversed(SIZES.values()):
        page.set_viewport_size({"width": width, "height": height})
        for theme in reversed(THEMES):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.evaluate(f"localStorage.theme = '{theme}'")  # Locust's own pages go by this
            page.reload()
            page.wait_for_timeout(1500)  # charts have a transition; banner and bands come a second later
            _keep(page, name)


def _head(address: str) -> dict[str, Any]:
    head: dict[str, Any] = httpx.get(f"{address}/outage/head", timeout=10).json()
    return head


def _post(address: str, **form: str) -> None:
    assert httpx.post(f"{address}/swarm", data=form, timeout=30).json()["success"]


def _stop(address: str) -> None:
    assert httpx.post(f"{address}/stop", timeout=60).json()["success"]
    wait_for(lambda: _state(address) in {"stopped", "ready"})


def _state(address: str) -> str:
    return str(httpx.get(f"{address}/stats/requests", timeout=10).json()["state"])


def test_an_outage_is_started_watched_and_judged_in_the_browser(address: str, browser: Browser) -> None:
    """The form offers the scenarios; banner, bands, tab and page follow the phases; the verdict stands at the end."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(address)
    picker = page.locator("select[name=scenario]")
    expect(picker).to_be_visible()
    assert "traffic-surge" in picker.inner_text()
    assert picker.input_value() == "watched"
    assert "our-file.yaml" not in page.content()
    for name in ("userCount", "spawnRate", "host", "apiKey", "model"):  # an outage brings its own
        expect(page.locator(f"input[name={name}]")).to_be_hidden()
    picker.select_option("none")
    expect(page.locator("input[name=userCount]")).to_be_visible()
    picker.select_option("watched")
    expect(page.locator("input[name=userCount]")).to_be_hidden()
    _keep_all(page, "form")

    page.get_by_role("button", name="Start").click()
    banner = page.locator("#mockbot-banner")
    expect(banner).to_contain_text("steady", timeout=LONG)
    expect(banner).to_contain_text("No fault is scheduled now")
    expect(banner).to_contain_text("http_error on main", timeout=LONG)

    expect(page.get_by_role("tab", name="Outage")).to_have_attribute("aria-selected", "true")
    inside = page.frame_locator("#mockbot-watch")
    expect(inside.locator("#wrong")).to_contain_text("http_error on main", timeout=LONG)
    expect(inside.locator("#wrong-for")).to_contain_text("since 0:30")
    expect(inside.locator("#groups tbody td:first-child")).to_have_text(["users"])
    expect(inside.locator("#coming")).to_contain_text("http_error on main ends")
    expect(inside.locator("#status")).to_have_text("there is no status page")
    bottom = inside.locator("#groups").evaluate("each => each.getBoundingClientRect().bottom")
    top = page.locator("#mockbot-watch").evaluate("each => each.getBoundingClientRect().top")
    assert top + bottom <= 800  # all of it on the first screen of a laptop
    page.get_by_role("tab", name="Charts").click()
    expect(page.locator(".mockbot-bands i").first).to_be_visible(timeout=LONG)
    _keep(page, "charts-wrong")
    page.get_by_role("tab", name="Outage").click()
    expect(inside.get_by_role("cell", name="2. blackout")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("cell", name="2. blackout")).to_be_hidden()  # no table twice

    page.goto(f"{address}/outage/")
    expect(page.locator("#now")).to_contain_text(
        re.compile("http_error on main|no fault is scheduled now"), timeout=LONG
    )
    expect(page.locator("#outcomes rect[fill]").first).to_be_attached()
    _keep(page, "outage-live")
    expect(page.locator("#verdict")).to_contain_text(re.compile("Verdict: (pass|inconclusive)"), timeout=LONG)
    phases = page.locator("#phases tbody tr td:first-child")
    assert phases.all_inner_texts() == ["1. steady", "2. blackout", "3. after"]
    report = page.get_by_role("link", name="Open the report").get_attribute("href")
    page.goto(f"{address}/outage/{report}")
    expect(page.locator("#verdict")).to_have_text(re.compile("pass|inconclusive", re.IGNORECASE))
    assert broken == []
    page.close()


@pytest.fixture
def over(address: str) -> str:
    """The address, with a scenario that has been played to its end."""
    if not _head(address).get("verdict"):
        _post(address, scenario="watched")
        wait_for(lambda: bool(_head(address).get("verdict")))
    return address


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_the_page_of_an_outage_covers_and_fades_nothing(over: str, browser: Browser, size: str, theme: str) -> None:
    """After the end, with verdict, groups, charts and phases."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{over}/outage/")
    expect(page.locator("#verdict")).to_contain_text("Verdict", timeout=LONG)

    problems = page.evaluate(AUDIT)
    page.close()

    assert problems == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_of_an_outage_follows_locusts_own_switch(over: str, browser: Browser, theme: str) -> None:
    """Whatever the system's theme is."""
    page = browser.new_page(color_scheme="light" if theme == "dark" else "dark")
    page.goto(f"{over}/outage/")
    page.evaluate(f"localStorage.theme = '{theme}'")
    page.reload()
    expect(page.locator("#verdict")).to_contain_text("Verdict", timeout=LONG)

    problems = page.evaluate(AUDIT)
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()

    assert problems == []
    assert (_light(back) > 0.5) == (theme == "light")


@pytest.mark.nightly
def test_the_pages_fit_a_laptop_and_a_phone(over: str, browser: Browser) -> None:
    """On a laptop and on a phone, nothing of ours is wider than the screen; in both themes, text stands out."""
    page = browser.new_page()
    page.goto(over)
    for name in ("Charts", "Outage"):
        page.get_by_role("tab", name=name).click()
        _keep_all(page, name.lower())
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.querySelector('#mockbot-banner').scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{over}/outage/")
    expect(page.locator("#verdict")).to_contain_text("Verdict", timeout=LONG)
    _keep_all(page, "verdict")

    for width, height in SIZES.values():
        for theme in THEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            front, back = page.evaluate(
                "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
            )
            assert abs(_light(front) - _light(back)) > 0.6
    page.close()


def test_a_form_that_names_no_scenario_plays_the_chosen_one_again(over: str, folder: Path, faults: FaultServer) -> None:
    """A script that posts only numbers gets the command line's outage and no plain test; `none` gets a plain one.

    The plain one after it has the command line's --stop-timeout again.
    """
    _post(over, user_count="3", spawn_rate="3")
    wait_for(lambda: _state(over) == "running")
    _stop(over)
    _post(over, scenario="none", user_count="3", spawn_rate="3", host=f"{faults.url}/healthy")
    wait_for(lambda: any(name == "healthy" for name, _, _ in faults.seen))
    _stop(over)
    *_, outage, plain = map(json.loads, (folder / "ui" / "told.jsonl").read_text("utf-8").splitlines())

    assert outage == {"shape": "ScenarioShape", "stop_timeout": 0.0}
    assert plain == {"shape": None, "stop_timeout": 7.0}


def _light(colour: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
