"""incident.io: the page's own payload (/proxy/<host>/incidents, its chunks), the widget, and the management API.

`component_impacts` say when which component was how bad, the best source of all; `to_status` how far the incident was.
Its compatible /api/v2 is Statuspage's. Shapes: next_anchors.md §3.2 and §3.5.
"""

from collections.abc import Iterator

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Level, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.platform import Platform, level, plain, state, tops, window


def _recognises(document: Document) -> bool:
    return any(_records(document)) or any(tops(document, "ongoing_incidents"))


def _records(document: Document) -> Iterator[Node]:
    """Whole incidents, with their updates and impacts."""
    yield from tops(document, "component_impacts", "updates", "id")


def _incidents(document: Document) -> Iterator[Incident]:
    names = {each.text("id"): each.text("name") for each in _components(document)}
    for node in _records(document):
        yield _incident(node, names)
    for widget in tops(document, "ongoing_incidents"):
        for key in ("ongoing_incidents", "in_progress_maintenances", "scheduled_maintenances"):
            for node in widget.each(key):
                if not node.has("component_impacts"):
                    yield _open(node)


def _components(document: Document) -> Iterator[Node]:
    """Every component that has a name somewhere: in the list, or in `structure` only (a page of several regions)."""
    for node in tops(document, "components"):
        yield from (each for each in node.each("components") if each.has("id", "name"))
    for node in tops(document, "component_id", "name"):
        yield Node({"id": node.text("component_id"), "name": node.text("name")}, node.path)


def _incident(node: Node, names: dict[str, str]) -> Incident:
    points: list[Point] = []
    for impact in node.each("component_impacts"):
        component = _named(impact, names)
        how: Level = level(impact, "status", "component_status") or "partial"
        points += window(impact.time("start_at"), impact.time_or_none("end_at"), "impact", component, how)
    for update in node.each("updates"):
        at = update.time("published_at")
        says = plain(update.text("message_string", "") or _message(update))
        points.append(Point(at, "post", state=state(update, "to_status", "incident_status"), says=says))
        for each in update.each("component_statuses"):
            changed = level(each, "status", "component_status")
            points += [Point(at, "component", component=_named(each, names), level=changed)] if changed else []
    linked = {_named(each, names) for each in node.each("affected_components")} | {each.component for each in points}
    components = tuple(sorted(each for each in linked if each))
    name = plain(node.text("name", ""))
    label: Level | None = "maintenance" if node.text("type", "") == "maintenance" else None
    return Incident(
        node.text("id"), name, tuple(points), label, components, missing=() if components else ("components",)
    )


def _message(update: Node) -> str:
    message = update.get("message")
    if message is None:
        return ""
    return message.text("markdown", "") if isinstance(message.value, dict) else update.text("message", "")


def _named(node: Node, names: dict[str, str]) -> str:
    found = node.text("component_id", "")
    return names.get(found, node.text("component_name", node.text("name", found)))


def _open(node: Node) -> Incident:
    """What is open now, from the widget: its last update only."""
    at = node.time("last_update_at", "started_at", "starts_at")
    point = Point(at, "post", state=state(node, "status"), says=plain(node.text("last_update_message", "")))
    components = tuple(each.text("name") for each in node.each("affected_components"))
    name, starts = plain(node.text("name", "")), node.time_or_none("started_at", "starts_at")
    ends = node.time_or_none("scheduled_end_at", "ends_at")
    return Incident(
        node.text("id"), name, (point,), level(node, "current_worst_impact", "status"), components,
        node.text("url", ""), ("start: only the last update is in the file", "end"),
        None if starts is None or ends is None else (starts, ends),
    )  # fmt: skip


INCIDENT_IO = Platform("incident.io (page payload, widget, management API)", _recognises, _incidents)
