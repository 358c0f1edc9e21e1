"""Google Cloud's incidents.json: `begin` and `end` are times of the impact; AVAILABLE is dated at the report.

Shape: next_anchors.md §3.2 and §3.5.
"""

from collections.abc import Iterator

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.platform import Platform, level, plain, state, tops, window


def _incidents(document: Document) -> Iterator[Incident]:
    for node in tops(document, "begin", "updates", "id"):
        yield _incident(node)


def _incident(node: Node) -> Incident:
    names = tuple(each.text("title") for each in node.each("affected_products")) or (node.text("service_name", ""),)
    how = level(node, "status_impact", "severity")
    begin, end = node.time("begin"), node.time_or_none("end")
    points = [point for name in names for point in window(begin, end, "impact", name, how or "partial")]
    for update in node.each("updates"):
        at, is_report = update.time("when", "created"), update.text("status", "") == "AVAILABLE"
        how_far = None if is_report else state(update, "status")
        points.append(Point(at, "post", state=how_far, says=plain(update.text("text", ""))))
    if end is not None:  # AVAILABLE is dated at the report, which may come days later
        points.append(Point(end, "post", state="resolved"))
    missing: tuple[str, ...] = () if end is not None else ("end",)
    created = node.time_or_none("created")
    if end is not None and created is not None and created > end:
        missing += ("posts: entered after the fact",)
    name = plain(node.text("external_desc", "") or node.text("service_name", ""))
    return Incident(node.text("id"), name, tuple(points), how, names, node.text("uri", ""), missing)


GOOGLE_CLOUD = Platform(
    "Google Cloud (incidents.json)", lambda found: any(tops(found, "begin", "updates", "id")), _incidents
)
