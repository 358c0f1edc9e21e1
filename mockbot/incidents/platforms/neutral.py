"""mockbot's own form of an incident, to be written by hand or by another program, and windows as CSV.

JSON: a list of `{at, status, component, level, share, says}`, or `{"name", "url", "timeline": [...]}`, or a list of
these. `at` is needed; `status` is Statuspage's word, `level` operational, degraded, partial, full or maintenance,
`share` a number from 0 to 1 of the requests that fail from then on, `source` impact, component or post (what kind of
time `at` is; impact when there is no status). CSV: start, end, component, level; an empty end is open.
"""

from collections.abc import Iterator, Sequence

from mockbot.errors import UsageError
from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import (
    LEVELS,
    SOURCES,
    STATES,
    Incident,
    Level,
    Point,
    Source,
    State,
    level_of,
    state_of,
)
from mockbot.incidents.node import Node, unix_time
from mockbot.incidents.platforms.platform import Platform, plain, window

_WINDOW = ("start", "end")


def _recognises(document: Document) -> bool:
    return any(_timelines(document))


def _timelines(document: Document) -> Iterator[Node]:
    for top in document.json:
        if _is_timeline(top.value):
            yield Node({"timeline": top.value}, top.path)
            continue
        for node in top.elements() if isinstance(top.value, list) else (top,):
            if node.has("timeline") and _is_timeline(node["timeline"].value if node.get("timeline") else None):
                yield node


def _is_timeline(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "at" in each for each in value)


def _incidents(document: Document) -> Iterator[Incident]:
    for number, node in enumerate(_timelines(document), 1):
        points = tuple(_point(each) for each in node.each("timeline"))
        components = tuple(dict.fromkeys(each.component for each in points if each.component))
        yield Incident(
            node.text("id", str(number)), plain(node.text("name", "")), points, None, components, node.text("url", "")
        )


def _point(node: Node) -> Point:
    said, level, share = node.text("status", ""), node.text("level", ""), node.text("share", "")
    state: State | None = state_of(said) if said else None
    how: Level | None = level_of(level) if level else None
    if said and state is None:
        raise node["status"].wrong(f"{said[:40]!r} is not one of {', '.join(STATES)}")
    if level and how is None:
        raise node["level"].wrong(f"{level[:40]!r} is not one of {', '.join(LEVELS)}")
    source: Source = "post" if state else "impact"
    if (named := node.text("source", "")) and named not in SOURCES:
        raise node["source"].wrong(f"{named[:40]!r} is not one of {', '.join(SOURCES)}")
    source = next((each for each in SOURCES if each == named), source)
    fails = None if not share else _share(node["share"], share)
    return Point(
        node.time("at"), source, state, node.text("component", "") or None, how, fails, plain(node.text("says", ""))
    )


def _share(node: Node, text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise node.wrong(f"{text[:40]!r} is not a share; write it as 0.35 or 35%")
    return share


def _windows(document: Document) -> Iterator[Incident]:
    head = [cell.lower() for cell in document.rows[0]]
    places = {name: head.index(name) for name in ("start", "end", "component", "level") if name in head}
    points: list[Point] = []
    for line, row in enumerate(document.rows[1:], 2):
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        how = level_of(cells.get("level", "")) if cells.get("level") else "partial"
        if how is None:
            raise UsageError(f"line {line}: {cells['level'][:40]!r} is not one of {', '.join(LEVELS)}")
        start = unix_time(cells["start"], f"line {line}: start")
        end = unix_time(cells["end"], f"line {line}: end") if cells["end"] else None
        if end is not None and end <= start:
            raise UsageError(f"line {line}: the end is not after the start; correct the line")
        points += window(start, end, "impact", cells.get("component") or None, how)
    components = tuple(dict.fromkeys(each.component for each in points if each.component))
    yield Incident("1", "Windows of a CSV", tuple(points), None, components)


def _has_windows(rows: Sequence[Sequence[str]]) -> bool:
    return len(rows) > 1 and {cell.lower() for cell in rows[0]} >= set(_WINDOW)


NEUTRAL = Platform("mockbot's own timeline (a list of {at, status, component, level, share})", _recognises, _incidents)
WINDOWS = Platform("windows as CSV (start, end, component, level)", lambda found: _has_windows(found.rows), _windows)
