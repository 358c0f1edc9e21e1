"""Statuspage's history.json and the `data-react-props` of its page /history: an incident a line, without its posts.

`timestamp` is HTML like "Sep 23, 10:11 - Sep 24, 04:55 UTC" (next_anchors.md §3.5); the year stands beside the month.
"""

import re
from collections.abc import Iterator

from mockbot.errors import UsageError
from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Point
from mockbot.incidents.node import Node
from mockbot.incidents.platforms.clock_words import moment
from mockbot.incidents.platforms.platform import Platform, level, plain, tops

_SPAN = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) ?, +(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?: *- *(?:(?P<month2>[A-Z][a-z]{2}) +(?P<day2>\d{1,2}) ?, +)?(?P<hour2>\d{1,2}):(?P<minute2>\d{2}))?"
    r" *(?P<zone>[A-Z]{2,5})"
)


def _incidents(document: Document) -> Iterator[Incident]:
    for page in tops(document, "months"):
        for month in page.each("months"):
            for node in month.each("incidents"):
                yield _incident(node, month.whole("year"))


def _incident(node: Node, year: int) -> Incident:
    written = plain(node.text("timestamp"))
    match = _SPAN.search(written)
    if match is None:
        raise node["timestamp"].wrong(f"{written[:60]!r} is not a time like 'Sep 23, 10:11 - 12:00 UTC'")
    part = match.groupdict()
    try:
        start = moment(year, part["month"], part["day"], part["hour"], part["minute"], part["zone"])
        end = None
        if part["hour2"]:
            month, day = part["month2"] or part["month"], part["day2"] or part["day"]
            end = moment(year, month, day, part["hour2"], part["minute2"], part["zone"])
            if end < start:  # a December that ends in January
                end = moment(year + 1, month, day, part["hour2"], part["minute2"], part["zone"])
    except ValueError as error:
        raise UsageError(f"{node.path}.timestamp: {error}") from None
    points = [Point(start, "post", state="investigating")]
    points += [Point(end, "post", state="resolved", says=plain(node.text("message", "")))] if end is not None else []
    missing = ("components", "posts in between", *(() if end is not None else ("end",)))
    name = plain(node.text("name", ""))
    return Incident(node.text("code"), name, tuple(points), level(node, "impact"), missing=missing)


STATUSPAGE_HISTORY = Platform(
    "Statuspage's history (history.json, or the page /history)", lambda found: any(tops(found, "months")), _incidents
)
