"""A scenario's own status page, imported again, gives the same status timeline to the second."""

import json

import pytest

from mockbot.incidents.draft import draft_text
from mockbot.incidents.foreign_document import read_document
from mockbot.incidents.incident import Incident
from mockbot.incidents.incident_draft import incident_draft
from mockbot.incidents.platforms.all import read_incidents
from mockbot.incidents.staging import Known, stage
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.parts import ENDS
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import moment, phase_spans
from mockbot.scenario.timeline import Timeline
from mockbot.service.status_history import StatusHistory
from mockbot.service.status_page import StatusJson

BEGAN = 1_767_600_000.0  # 2026-01-05, Unix time of second 0
POSTED = [name for name in names() if load_scenario(find(name)).status_page]


def published(scenario: Scenario) -> tuple[StatusHistory, bytes]:
    """The status page after the whole scenario, and its JSON."""
    history = StatusHistory(tuple(scenario.providers))
    history.forget(BEGAN)
    timeline = Timeline(scenario)
    for t in timeline.changes():
        if (status := timeline.at(t).status) is not None:
            history.publish(status.update, BEGAN + status.since)
    page = StatusJson(history, scenario.title, scenario.seed, lambda: "https://status.example")
    incidents = page.incidents(lambda each: not each.planned)
    planned = page.incidents(lambda each: each.planned)
    return history, json.dumps(
        {"page": page.page(), "incidents": incidents, "scheduled_maintenances": planned}
    ).encode()


def imported(incident: Incident, over: float) -> list[tuple[float, str, str]]:
    """Unix time, state and impact of every update of the scenario that the incident becomes."""
    staged = stage(incident, Known(components=incident.components, end=over if incident.ends is None else None))
    draft = incident_draft(staged, "again", None)
    scenario = read_scenario(draft_text(draft))
    spans = phase_spans(scenario.phases)
    since = [moment(each.at, spans) for each in scenario.status_page]
    began = incident.posts[0].at - since[0]
    return [(began + t, each.state, str(each.impact)) for t, each in zip(since, scenario.status_page, strict=True)]


@pytest.mark.parametrize("name", POSTED)
def test_a_bundled_outage_comes_back(name: str) -> None:
    """State, time and impact of each post of each incident."""
    scenario = load_scenario(find(name))
    history, page = published(scenario)
    over = BEGAN + sum(phase.lasts for phase in scenario.phases)  # of an incident that is never resolved
    _, incidents = read_incidents(read_document(page))

    assert len(incidents) == len(history.incidents) > 0
    for original, incident in zip(history.incidents, reversed(incidents), strict=True):
        posts = [
            (each.at, each.update.state, "none" if each.update.state in ENDS else each.impact)
            for each in original.updates
        ]
        assert imported(incident, over) == posts
