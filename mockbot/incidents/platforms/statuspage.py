"""Statuspage v2: incidents.json, summary.json, scheduled-maintenances.json; and incident.io's compatible /api/v2.

Shapes: next_anchors.md §3.1 and §3.5. `display_at` is the time meant, `created_at` when it was typed; a maintenance's
`started_at` is its announcement; `components[].status` is the live one and says nothing of the past.
"""

from collections.abc import Iterator

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.platform import Platform, level, plain, state, tops


def _recognises(document: Document) -> bool:
    return any(tops(document, "incident_updates")) or any(
        node.has("page") and (node.has("incidents") or node.has("scheduled_maintenances")) for node in document.json
    )


def _incidents(document: Document) -> Iterator[Incident]:
    for node in tops(document, "incident_updates"):
        yield _incident(node)


def _incident(node: Node) -> Incident:
    points = [point for update in node.each("incident_updates") for point in _update(update)]
    names = tuple(each.text("name") for each in node.each("components"))
    starts, ends = node.time_or_none("scheduled_for"), node.time_or_none("scheduled_until")
    only_end = [each.state for each in points if each.state] == ["resolved"]
    missing = ["components"] if not names and not any(each.component for each in points) else []
    missing += ["start: entered after the fact, the times are in the text"] if only_end else []
    return Incident(
        id=node.text("id"),
        name=plain(node.text("name", "")),
        points=tuple(points),
        label=level(node, "impact", "impact_override"),
        components=names,
        url=node.text("shortlink", ""),
        missing=tuple(missing),
        planned=None if starts is None or ends is None else (starts, ends),
    )


def _update(update: Node) -> Iterator[Point]:
    at, how_far = update.time("display_at", "created_at"), state(update, "status")
    is_report = update.text("status", "") == "postmortem"  # it comes days after the end
    yield Point(at, "post", state=None if is_report else how_far, says=plain(update.text("body", "")))
    for each in update.each("affected_components"):
        if (changed := level(each, "new_status")) is not None:
            yield Point(at, "component", component=each.text("name", ""), level=changed)


STATUSPAGE = Platform("Statuspage (incidents.json, summary.json, scheduled-maintenances.json)", _recognises, _incidents)
