"""The status page on its own port: Statuspage's JSON, and the page for people in a real browser."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from mockbot.clock import Clock
from mockbot.faults.crash import Crash
from mockbot.scenario.schema import StatusUpdate
from mockbot.scenario.timeline import StatusState
from tests.chromium import chromium, needs_chromium
from tests.service.conftest import Serve, Served

AUDIT = (Path(__file__).parents[1] / "report" / "page_audit.js").read_text("utf-8")


def say(served: Served, since: float = 0.0, **update: Any) -> None:
    """Publish an update at a scenario second."""
    served.control.set_status(StatusState(since, StatusUpdate.model_validate({"at": "0s", **update})))


def get(served: Served, path: str) -> Any:
    """A JSON document of the status page."""
    return httpx.get(f"{served.status}/api/v2/{path}.json").json()


@pytest.mark.live
def test_statuspage_json(served: Served) -> None:
    """The documents that status monitors read, before and during an incident."""
    assert get(served, "status")["status"] == {"indicator": "none", "description": "All Systems Operational"}
    say(served, 60.0, state="investigating", impact="major", says="We are investigating.")
    say(served, 120.0, state="monitoring")

    summary = get(served, "summary")
    incident = summary["incidents"][0]
    assert summary["status"] == {"indicator": "major", "description": "Partial System Outage"}
    assert {component["status"] for component in summary["components"]} == {"partial_outage"}
    assert (incident["status"], incident["impact"], incident["resolved_at"]) == ("monitoring", "major", None)
    assert [update["status"] for update in incident["incident_updates"]] == ["monitoring", "investigating"]
    assert incident["incident_updates"][-1]["body"] == "We are investigating."
    assert get(served, "incidents/unresolved")["incidents"] == get(served, "incidents")["incidents"] == [incident]
    assert get(served, "components")["page"]["url"] == served.status


@pytest.mark.live
def test_an_announced_maintenance_is_listed_as_such(served: Served) -> None:
    """Upcoming, then active, with when it is said to end; never among the incidents."""
    say(served, state="scheduled", back_in="30m")
    upcoming = get(served, "scheduled-maintenances/upcoming")["scheduled_maintenances"]
    say(served, 10.0, state="in_progress", back_in="30m")
    active = get(served, "scheduled-maintenances/active")["scheduled_maintenances"]

    assert [each["status"] for each in upcoming] == ["scheduled"]
    assert [each["status"] for each in active] == ["in_progress"]
    assert active[0]["scheduled_until"] > active[0]["scheduled_for"]
    assert get(served, "incidents")["incidents"] == []


@pytest.mark.live
def test_the_page_outlives_the_provider(served: Served) -> None:
    """A crash takes the provider's port down, not the status page's."""
    served.break_with(Crash.model_validate({"crash": True}))

    assert get(served, "status")["status"]["indicator"] == "none"


@pytest.fixture
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium."""
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 900, "height": 1000})


@pytest.mark.second
@needs_chromium
def test_people_see_the_outage_unfold(serve: Serve, browser_page: Page, tmp_path: Path) -> None:
    """Green at first; then, without a reload by hand, the banner, the component and the updates; then green and
    past.
    """
    served = serve(others={"backup": {}})
    served.control.start_clock(Clock.start(delay=-600))
    browser_page.goto(served.status)
    expect(browser_page.get_by_role("status")).to_have_text("All Systems Operational")
    expect(browser_page.get_by_text("No incidents reported.")).to_be_visible()

    say(served, 300.0, state="investigating", impact="critical", says="Requests are <b>failing</b>.", provider="main")
    expect(browser_page.get_by_role("status")).to_have_text("Major Service Outage", timeout=10_000)
    expect(browser_page.get_by_text("Requests are <b>failing</b>.")).to_be_visible()
    expect(browser_page.locator(".state").first).to_have_text("Major outage")
    expect(browser_page.locator(".state").nth(1)).to_have_text("Operational")
    browser_page.screenshot(path=tmp_path / "outage.png", full_page=True)

    say(served, 500.0, state="resolved", provider="main")
    expect(browser_page.get_by_role("status")).to_have_text("All Systems Operational", timeout=10_000)
    expect(
        browser_page.get_by_role("region", name="Past incidents").get_by_text("resolved", exact=True)
    ).to_be_visible()
    assert browser_page.locator("rect.major_outage").count() > 0


@needs_chromium
@pytest.mark.second
@pytest.mark.parametrize("impact", ["minor", "major", "critical", "maintenance"])
def test_people_can_read_it(serve: Serve, browser_page: Page, impact: str) -> None:
    """On a phone and a laptop, in both themes, before, in and after an incident: nothing overflows, covers or fades."""
    served = serve(others={"backup": {}})
    served.control.start_clock(Clock.start(delay=-600))
    problems = []
    for state in (None, "investigating", "resolved"):
        if state is not None:
            say(served, 300.0, state=state, impact=impact, says="We are investigating an issue.", provider="main")
        for width, theme in product((390, 1280), ("light", "dark")):
            browser_page.set_viewport_size({"width": width, "height": 800})
            browser_page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            browser_page.goto(served.status)
            problems += [(state, width, theme, problem) for problem in browser_page.evaluate(AUDIT)]

    assert problems == []


@pytest.mark.parametrize("page", ["empty", "moved"])
def test_a_page_that_cannot_be_read(served: Served, page: str) -> None:
    """An empty answer, or a redirect to HTML that says 200."""
    say(served, 0.0, state="investigating", impact="major", page=page)
    answer = httpx.get(f"{served.status}/api/v2/summary.json", follow_redirects=True)

    assert (answer.status_code, answer.text[:15]) == (200, "" if page == "empty" else "<!doctype html>")


def test_a_page_that_stays_green_shows_nothing(served: Served) -> None:
    """Until it admits what it knew."""
    say(served, 0.0, state="investigating", impact="major", page="still_green")
    assert get(served, "summary")["incidents"] == []
    assert get(served, "status")["status"]["indicator"] == "none"

    say(served, 60.0, state="identified", impact="major")
    assert len(get(served, "summary")["incidents"][0]["incident_updates"]) == 2


def test_an_incident_may_be_linked_to_every_component(served: Served) -> None:
    """Though only one of them is hurt."""
    say(served, 0.0, state="investigating", impact="major", provider="main", page="linked")
    components = get(served, "summary")["components"]

    assert {each["status"] for each in components} == {"partial_outage"}


def test_an_update_that_was_typed_afterwards_is_dated_as_if_it_were_not(served: Served) -> None:
    """`display_at` is five minutes before `created_at`, at speed 1."""
    say(served, 300.0, state="investigating", impact="major", typed="5m")
    posted = get(served, "summary")["incidents"][0]["incident_updates"][0]
    times = [datetime.fromisoformat(posted[key]) for key in ("display_at", "created_at")]

    assert (times[1] - times[0]).total_seconds() == 300
