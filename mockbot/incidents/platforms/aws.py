"""AWS Health's currentevents.json and history: UTF-16BE, times in seconds and milliseconds mixed.

A post is `event_log[{summary, message, status, timestamp}]`; status 1 is information, 2 degraded, 3 down, 0 over
(next_anchors.md §3.5). `impacted_services` are named by key.
"""

from collections.abc import Iterator

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Level, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.platform import Platform, plain, tops

_LEVELS: dict[str, Level] = {"0": "operational", "1": "degraded", "2": "partial", "3": "full"}


def _incidents(document: Document) -> Iterator[Incident]:
    for number, node in enumerate(tops(document, "event_log"), 1):
        yield _incident(node, number)


def _incident(node: Node, number: int) -> Incident:
    points: list[Point] = []
    service = node.text("service_name", node.text("service", ""))
    for post in node.each("event_log"):
        at, how = post.time("timestamp"), _LEVELS.get(post.text("status", ""))
        over = how == "operational" or "[RESOLVED]" in post.text("summary", "").upper()
        says = plain(post.text("message", post.text("summary", "")))
        points.append(Point(at, "post", state="resolved" if over else "identified", says=says))
        points.append(Point(at, "component", component=service, level="operational" if over else how or "degraded"))
    hurt = node.get("impacted_services")
    others = tuple(hurt.value) if hurt is not None and isinstance(hurt.value, dict) else ()
    name = plain(node.text("summary", "")) or service
    missing = () if any(each.state == "resolved" for each in points) else ("end",)
    return Incident(
        node.text("arn", str(number)).rsplit("/", 1)[-1], name, tuple(points), None, (service, *others), missing=missing
    )


AWS = Platform("AWS Health (currentevents.json)", lambda found: any(tops(found, "event_log")), _incidents)
