"""Each file of `files/`, written by hand after a shape or a trap of a real platform, is read as a person would read it.

Times are of 5 January 2026 in UTC unless a date is written. Sources of the shapes: next_anchors.md §3.1 to §3.5.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from mockbot.errors import UsageError
from mockbot.incidents.draft import draft_text
from mockbot.incidents.foreign_document import read_document
from mockbot.incidents.incident import Incident
from mockbot.incidents.incident_draft import incident_draft
from mockbot.incidents.node import unix_time
from mockbot.incidents.platforms.all import read_incidents
from mockbot.incidents.staging import Known, stage
from mockbot.scenario.load import read_scenario

FILES = Path(__file__).parent / "files"
PARTIAL = Known(level="partial")


class Reading(NamedTuple):
    """`segments`: when it was how bad; `posts`: when the page said what."""

    segments: str
    posts: str
    known: Known = Known()
    left_out: tuple[str, ...] = ()


# The fault begins 15 minutes before the first post and ends 20 before Resolved, where no source has the impact.
READINGS: Mapping[str, Reading] = {
    # `display_at` 10:05 is meant, `created_at` 10:12 is when it was typed.
    "statuspage-plain.json": Reading(
        "09:50 partial, 11:05 recovering, 11:20 operational",
        "10:05 investigating, 10:30 identified, 11:05 monitoring, 11:40 resolved",
    ),
    # No components, no started_at, and a placeholder among the affected components: the incident's impact is its level.
    "statuspage-absent-keys.json": Reading("09:57 partial, 11:20 operational", "10:12 investigating, 11:40 resolved"),
    # By their display times the states are out of order; it begins with the earliest.
    "statuspage-display-order.json": Reading(
        "09:55 partial, 11:40 operational", "10:10 identified, 10:20 investigating, 12:00 resolved"
    ),
    # The postmortem comes four days later and is not the end; its share is taken.
    "statuspage-postmortem.json": Reading("09:57 partial, 11:20 operational", "10:12 investigating, 11:40 resolved"),
    "statuspage-relapse.json": Reading(
        "09:45 partial, 11:00 recovering, 12:00 partial, 12:30 recovering, 12:40 operational",
        "10:00 investigating, 11:00 monitoring, 12:00 investigating, 12:30 monitoring, 13:00 resolved",
    ),
    "statuspage-retroactive.json": Reading(
        "08:10 partial, 09:00 operational",
        "18:00 resolved",
        Known(start=unix_time("2026-01-05T08:10:00Z", ""), end=unix_time("2026-01-05T09:00:00Z", "")),
    ),
    # Announced twice, in progress from 02:00 to 03:10, though 04:00 had been planned.
    "statuspage-maintenance.json": Reading(
        "02:00 maintenance, 03:10 operational",
        "2026-01-02 09:00 scheduled, 02:00 in_progress, 03:00 in_progress, 03:10 completed",
    ),
    "statuspage-every-component.json": Reading(
        "09:57 partial, 11:20 operational", "10:12 investigating, 11:40 resolved", left_out=("Login", "Docs")
    ),
    "statuspage-bom.json": Reading("09:57 partial, 11:20 operational", "10:12 investigating, 11:40 resolved"),
    "statuspage-other-components.json": Reading(
        "09:57 partial, 11:20 operational",
        "10:12 investigating, 11:40 resolved",
        Known(components=("Login",)),
        left_out=("Billing",),
    ),
    # Only the end is in the compatible API's format twice: no components, the label is the level.
    "incident-io-compat.json": Reading("09:57 degraded, 11:20 operational", "10:12 investigating, 11:40 resolved"),
    # Impacts have their own times; the names stand in `structure` only; Sora is no chat API.
    "incident-io-page.json": Reading(
        "09:48 full, 10:31 degraded, 11:02 operational",
        "10:12 investigating, 11:00 monitoring, 11:40 resolved",
        left_out=("Sora",),
    ),
    "incident-io-chunks.html": Reading(
        "09:48 full, 10:31 degraded, 11:02 operational",
        "10:12 investigating, 11:00 monitoring, 11:40 resolved",
        left_out=("Sora",),
    ),
    "incident-io-management.json": Reading("09:50 partial, 10:40 operational", "10:12 investigating, 11:00 resolved"),
    # Open: only the last update is there, so both ends are asked for.
    "incident-io-widget.json": Reading(
        "10:00 partial, 11:00 operational",
        "10:30 identified",
        Known(start=unix_time("2026-01-05T10:00:00Z", ""), end=unix_time("2026-01-05T11:00:00Z", "")),
    ),
    # AVAILABLE is dated five days later; `end` is the recovery.
    "google-cloud.json": Reading("10:00 partial, 12:30 operational", "10:20 identified, 12:30 resolved"),
    "google-cloud-retroactive.json": Reading("10:00 degraded, 12:30 operational", "10:20 identified, 12:30 resolved"),
    # No year in the posts: they count backwards from the entry's date, over New Year.
    "statuspage.atom": Reading(
        "2025-12-31 22:55 partial, 2026-01-01 01:40 operational",
        "2025-12-31 23:10 investigating, 2025-12-31 23:40 identified, 2026-01-01 02:00 resolved",
        PARTIAL,
    ),
    "statuspage-pst.rss": Reading("17:57 partial, 19:20 operational", "18:12 investigating, 19:40 resolved", PARTIAL),
    # The components and how bad it was stand in the sentences.
    "github.atom": Reading(
        "10:15 degraded, 11:40 operational", "10:30 identified, 12:00 resolved", left_out=("Actions",)
    ),
    # UTF-16BE without a mark; seconds in one post, milliseconds in the other.
    "aws.json": Reading("09:45 partial, 11:40 operational", "10:00 identified, 12:00 resolved", left_out=("lambda",)),
    # `startedAt` is meant.
    "datadog.json": Reading("09:45 partial, 11:10 operational", "10:00 investigating, 11:30 resolved"),
    "flashduty.json": Reading("09:45 full, 10:40 operational", "10:00 investigating, 11:00 resolved"),
    # Two windows overlap: the worst holds; times with another offset.
    "windows.csv": Reading("10:00 partial, 10:20 full, 10:50 operational", ""),
    "neutral.json": Reading("10:00 full, 10:40 operational", "10:10 investigating, 11:00 resolved"),
    "neutral-epoch.json": Reading("10:00 partial, 11:00 operational", ""),
}
REFUSED = {
    "statuspage-retroactive.json": "--start TIME",
    "statuspage-open.json": "--end TIME",
    "statuspage-other-components.json": "--component: Login, Billing",
    "incident-io-widget.json": "--start TIME",
    "incident-io.atom": "--start TIME",
    "google-cloud-open.json": "--end TIME",
    "same-guid.rss": "--end TIME",
    "statuspage.atom": "--level",
    "statuspage-pst-in-july.rss": "PST does not exist on 2026-07-06",
    "history-cst.json": "'CST' may mean more than one time zone",
    "doctype.xml": "DOCTYPE",
    "moved.html": "a page of HTML without data",
    "unknown.json": "of no platform that mockbot knows",
}


def only(name: str) -> Incident:
    """The incident of a file that has one."""
    _, [incident] = read_incidents(read_document((FILES / name).read_bytes()))
    return incident


def clock(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
    return text.removeprefix("2026-01-05 ")


@pytest.mark.parametrize("name", READINGS)
def test_a_file_is_read_as_a_person_reads_it(name: str) -> None:
    """When it was how bad, when the page said what, what is left out; and out comes a scenario that `check` accepts."""
    wanted, incident = READINGS[name], only(name)
    staged = stage(incident, wanted.known)
    segments = [f"{clock(each.start)} {'recovering' if each.recovering else each.level}" for each in staged.segments]

    assert ", ".join(segments) == wanted.segments
    assert ", ".join(f"{clock(post.at)} {post.state}" for post in incident.posts) == wanted.posts
    assert staged.left_out == wanted.left_out
    assert read_scenario(draft_text(incident_draft(staged, "imported", 1800.0))).phases


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_does_not_say_is_asked_for(name: str) -> None:
    """By the option that says it; what cannot be read is refused with the reason."""
    with pytest.raises(UsageError) as refused:
        stage(only(name), Known())

    assert REFUSED[name] in str(refused.value)


@pytest.mark.parametrize("name", ["history.json", "history-page.html"])
def test_a_history_has_the_year_and_the_impact(name: str) -> None:
    """Of three incidents: one over New Year, one within a day, one open; as JSON, and as the page that holds it."""
    _, incidents = read_incidents(read_document((FILES / name).read_bytes()))
    found = {each.id: [clock(post.at) for post in each.posts] for each in incidents}

    assert [each.id for each in incidents] == ["h3", "h2", "h1"]
    assert found["h1"] == ["2025-12-31 23:11", "2026-01-01 04:55"]
    assert found["h2"] == ["2026-01-03 10:11", "2026-01-03 12:00"]
    assert (found["h3"], incidents[0].ends) == (["2026-01-09 10:11"], None)
    assert [each.label for each in incidents] == ["partial", "degraded", "full"]


def test_several_incidents_are_listed_the_newest_first() -> None:
    """One at a time is staged."""
    _, incidents = read_incidents(read_document((FILES / "statuspage-two.json").read_bytes()))

    assert [each.id for each in incidents] == ["new", "old"]


def test_a_share_and_a_status_that_a_text_names_are_staged() -> None:
    """35 % and 503 of the postmortem; its clock time is only a remark, and its two other numbers are none of these."""
    draft = incident_draft(stage(only("statuspage-postmortem.json"), Known()), "imported", None)

    assert draft.phases[1].faults == ("http_error: 503, share: 35%",)
    assert any("names 10:02 UTC" in remark for remark in draft.remarks)


def test_a_report_names_429() -> None:
    """Google's report says 12.2 % and 429."""
    draft = incident_draft(stage(only("google-cloud.json"), Known()), "imported", None)

    assert draft.phases[1].faults == ("http_error: 429, share: 12.2%",)
