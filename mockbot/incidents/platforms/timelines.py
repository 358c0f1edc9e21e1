"""Timelines with changes of components per update: Datadog's pages and Flashduty's.

Datadog: `startedAt` is the time meant, `createdAt` when it was typed. Flashduty: epoch seconds and
`component_changes`. Shapes: next_anchors.md §3.5.
"""

from collections.abc import Iterator

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.platform import Platform, level, plain, state, tops


def _datadog(document: Document) -> Iterator[Incident]:
    for node in tops(document, "timeline"):
        yield _incident(
            node, "timeline", ("startedAt", "createdAt"), "componentsAffected", ("publishedDate", "resolvedDate")
        )


def _flashduty(document: Document) -> Iterator[Incident]:
    for node in _with_changes(document):
        yield _incident(
            node,
            "updates",
            ("at_seconds", "published_at_seconds", "at", "created_at"),
            "component_changes",
            ("started_at", "closed_at"),
        )


def _changes(post: Node, at: float, key: str) -> Iterator[Point]:
    for each in post.each(key):
        if (changed := level(each, "status", "new_status", "to_status")) is not None:
            name = each.text("name", each.text("component_name", ""))
            yield Point(at, "component", component=name, level=changed)


def _with_changes(document: Document) -> Iterator[Node]:
    for node in tops(document, "updates"):
        if any(update.has("component_changes") for update in node.each("updates")):
            yield node


def _incident(node: Node, posts: str, times: tuple[str, ...], changes: str, ends: tuple[str, str]) -> Incident:
    points: list[Point] = []
    for post in node.each(posts):
        at = post.time(*times)
        says = plain(post.text("description", post.text("message", post.text("body", ""))))
        points.append(Point(at, "post", state=state(post, "status"), says=says))
        points += _changes(post, at, changes)
    over = node.time_or_none(ends[1])
    if over is not None and not any(each.state == "resolved" for each in points):
        points.append(Point(over, "post", state="resolved"))
    components = tuple(sorted({each.component for each in points if each.component}))
    name = plain(node.text("title", node.text("name", "")))
    return Incident(
        node.text("id", node.text("change_id", name)), name, tuple(points), level(node, "impact", "status", "severity"),
        components, missing=() if components else ("components",),
    )  # fmt: skip


DATADOG = Platform("Datadog status pages", lambda found: any(tops(found, "timeline")), _datadog)
FLASHDUTY = Platform("Flashduty", lambda found: any(_with_changes(found)), _flashduty)
