"""report.html in a real browser: it draws, says nothing to anybody, and fits a phone and paper."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.verdict import judge_run
from mockbot.runs.folder import RunFolder
from mockbot.runs.judge import write_reports
from tests.chromium import chromium, needs_chromium
from tests.evidence.build import FAULT, attempt, evidence, prompt, scenario, sound_run

pytestmark = [pytest.mark.second, needs_chromium]
CHARTS = 8


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything in it: groups, a status page, a provider's side, findings, pending prompts."""
    folder = tmp_path_factory.mktemp("run")
    page = [{"at": "blackout+20s", "state": "investigating", "says": "<b>We</b> look into it."}]
    seconds = [
        ServiceSecond(t, "main", 5, 4, 1, finished=4, work=4.0, capacity=10.0, queued=t % 7, felt={FAULT: 1})
        for t in range(400)
    ]
    hasty = [prompt(n + 0.25, group="hasty", name=f"h{n}", first_token=0.4) for n in range(400)]
    sent = [attempt(float(n), 0.5, "http_error" if 100 <= n < 200 else "ok", of=f"h{n}") for n in range(400)]
    lines: list[Attempt | Prompt] = [*sent, *sound_run(), *hasty, prompt(399.0, 1.0, "unfinished", name="young")]
    run = evidence(lines, seconds, of=scenario(status_page=page))
    write_reports(RunFolder(folder), judge_run(run))
    return folder / "report.html"


class Opened:
    """A page with everything that it said and asked for."""

    def __init__(self, page: Page, report: Path) -> None:
        self.page, self.said, self.asked = page, list[str](), list[str]()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn=yes]")


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Opened]:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    yield Opened(page, report)
    page.close()


def test_it_draws_every_chart_without_a_word(opened: Opened) -> None:
    """Each chart has traces on the screen, and the console stays empty."""
    drawn = opened.page.eval_on_selector_all(".chart", "charts => charts.filter(c => c.querySelector('.trace')).length")

    assert (drawn, opened.said) == (CHARTS, [])


def test_it_asks_nobody_for_anything(opened: Opened, report: Path) -> None:
    """The only request is for the file itself."""
    assert opened.asked == [report.as_uri()]


def test_it_is_small_enough_to_attach(report: Path) -> None:
    """Charts, tables and the library that draws them are less than 1.2 MB in one file."""
    assert report.stat().st_size < 1_200_000


def test_its_numbers_are_those_of_summary_json(opened: Opened, report: Path) -> None:
    """The whole run's prompts and share of good ones, as a reader sees them."""
    summary = json.loads(report.with_name("summary.json").read_text("utf-8"))
    values = summary["measures"][0]["values"]

    shown = opened.page.eval_on_selector_all(
        "#phases tr.whole:has(td:text-is('whole run')) td[data-measure]", "cells => cells.map(c => c.innerText)"
    )

    assert shown[0] == f"{values['prompts']:,.0f}"
    assert float(shown[1].rstrip("%")) == pytest.approx(100 * values["availability"], abs=0.011)
    assert opened.page.inner_text("#verdict").lower() == summary["verdict"]


def test_zooming_one_chart_zooms_all(opened: Opened) -> None:
    """They share one axis of time."""
    opened.page.evaluate("Plotly.relayout('chart-outcomes', {'xaxis.range': [100000, 200000]})")
    opened.page.wait_for_function("document.getElementById('chart-users').layout.xaxis.range[0] == 100000")

    ranges = opened.page.eval_on_selector_all(".chart", "charts => charts.map(c => c.layout.xaxis.range)")

    assert ranges == [[100000, 200000]] * CHARTS


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_it_fits_the_screen(browser: Browser, report: Path, width: int) -> None:
    """On a phone too nothing but wide tables scrolls sideways, and those in their own frame."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    Opened(page, report)

    overflow = page.evaluate("document.documentElement.scrollWidth")
    chart = page.evaluate("document.querySelector('#chart-good svg').getBoundingClientRect().width")
    page.close()

    assert overflow <= width
    assert chart <= width


def test_it_prints(browser: Browser, report: Path) -> None:
    """On paper the charts are as wide as the page."""
    page = browser.new_page()
    Opened(page, report)

    paper = page.pdf(format="A4")
    page.close()

    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") >= 3


def test_printing_squeezes_no_chart(opened: Opened) -> None:
    """They are drawn anew for the paper's width, and keep their height."""
    height = "charts => charts.map(c => c.querySelector('svg.main-svg').getBoundingClientRect().height)"
    before = opened.page.eval_on_selector_all(".chart", height)

    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.page.wait_for_timeout(200)

    assert opened.page.eval_on_selector_all(".chart", height) == before


def test_without_scripts_everything_but_the_charts_is_there(browser: Browser, report: Path) -> None:
    """A mail client that runs nothing still shows the verdict and the tables."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())

    text = page.inner_text("main")
    context.close()

    assert "The charts need JavaScript" in text
    assert "100%" in text
