"""Feeds: Statuspage's Atom and RSS with all posts of an incident in one entry, and feeds with an entry for each post.

`<p><small>Jan <var data-var='date'> 5</var>, <var data-var='time'>11:40</var> UTC</small><br><strong>Resolved</strong>
- text</p>`, newest first, without a year: the entry's own date is the newest post's, and older ones count backwards
from it. An entry of incident.io has one state and no history; entries with the same guid are one incident (xAI).
Shapes: next_anchors.md §3.3 and §3.5.
"""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from mockbot.errors import UsageError
from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Point, level_of, state_of
from mockbot.incidents.node import unix_time
from mockbot.incidents.platforms.clock_words import moment, year_before
from mockbot.incidents.platforms.platform import Platform, plain

_POST = re.compile(
    r"<p>\s*<small>\s*(?P<month>[A-Z][a-z]{2})\s*<var[^>]*>\s*(?P<day>\d{1,2})\s*</var>,\s*<var[^>]*>\s*"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*</var>\s*(?P<zone>[A-Z]{2,5})\s*</small>\s*<br ?/?>\s*"
    r"<strong>\s*(?P<state>[^<]{1,40}?)\s*</strong>\s*-?\s*(?P<says>.*?)</p>",
    re.DOTALL,
)
_STATE = re.compile(r"<b>\s*Status:\s*([^<]{1,40}?)\s*</b>")
_COMPONENT = re.compile(r"<li>\s*([^<(]{1,80}?)\s*\(([^<)]{1,40})\)\s*</li>")
_SAYS = re.compile(r"([A-Z][\w ,&-]{1,80}?) (?:is|are) (?:experiencing (degraded \w+|\w+ outage)|operating (normally))")
NO_HISTORY = "start: the feed has the newest state only; find the first post's time"


def _recognises(document: Document) -> bool:
    return document.xml is not None and document.xml.tag in ("feed", "rss")


def _incidents(document: Document) -> Iterator[Incident]:
    entries = (
        [each for each in document.xml.iter() if each.tag in ("entry", "item")] if document.xml is not None else []
    )
    found: dict[str, Incident] = {}
    for number, entry in enumerate(entries, 1):
        incident = _incident(entry, number)
        same = found.get(incident.id)
        if same is None:
            found[incident.id] = incident
        elif not set(incident.points) <= set(same.points):  # another component of it, or another post
            points = (*same.points, *incident.points)
            components = tuple(dict.fromkeys((*same.components, *incident.components)))
            missing = () if len(points) > 1 else same.missing
            found[incident.id] = Incident(same.id, same.name, points, same.label, components, same.url, missing)
    yield from found.values()


def _incident(entry: Element, number: int) -> Incident:
    title = plain(_text(entry, "title"))
    where = f"entry {number} ({title[:40]!r})"
    body = _text(entry, "content") or _text(entry, "description") or _text(entry, "encoded") or _text(entry, "summary")
    newest = _date(entry, where)
    posts = list(_posts(body, newest, where))
    components = [name for name, _ in _COMPONENT.findall(body)]
    components += [each.component for each in posts if each.component]
    missing = [] if components else ["components"]
    if not posts:
        word = next(iter(_STATE.findall(body)), "") or next(
            (each for each in title.split(":")[:1] if state_of(each)), ""
        )
        posts = [Point(newest, "post", state=state_of(word), says=plain(body))]
        missing.append(NO_HISTORY)
    linked = entry.find("link")
    url = (linked.get("href") or linked.text or "").strip() if linked is not None else ""
    name = (_text(entry, "id") or _text(entry, "guid") or url or title).strip()
    return Incident(
        name.rsplit("/", 1)[-1], title, tuple(posts), None, tuple(dict.fromkeys(components)), url, tuple(missing)
    )


def _posts(body: str, newest: float, where: str) -> Iterator[Point]:
    later = newest
    for match in _POST.finditer(body):
        part = match.groupdict()
        try:
            year = year_before(part["month"], part["day"], later)
            later = moment(year, part["month"], part["day"], part["hour"], part["minute"], part["zone"])
        except ValueError as error:
            raise UsageError(f"{where}: {error}") from None
        if part["state"].strip().lower() != "postmortem":
            says = plain(part["says"])
            yield Point(later, "post", state=state_of(part["state"]), says=says)
            yield from _changes(later, says)


def _changes(at: float, says: str) -> Iterator[Point]:
    """The components that a sentence of GitHub's names: "X and Y are experiencing degraded performance"."""
    for names, hurt, well in _SAYS.findall(says):
        how = level_of("operational" if well else hurt.replace("availability", "performance"))
        for name in re.split(r", | and ", names):
            yield Point(at, "component", component=name.strip(), level=how)


def _date(entry: Element, where: str) -> float:
    written = next(
        (text for tag in ("updated", "published", "pubDate", "date") if (text := _text(entry, tag).strip())), ""
    )
    if not written:
        raise UsageError(f"{where} has no date; save the feed once more, or write one into it")
    if written[0].isdigit():
        return unix_time(written, where)
    try:
        read = parsedate_to_datetime(written)
    except ValueError:
        raise UsageError(f"{where}: {written[:60]!r} is not a date; write it like 2026-01-05T10:12:00Z") from None
    if read.tzinfo is None:
        raise UsageError(f"{where}: {written[:60]!r} has no time zone; add its offset, as +01:00")
    return unix_time(read.timestamp(), where)


def _text(entry: Element, tag: str) -> str:
    found = entry.find(tag)
    return "" if found is None else "".join(found.itertext())


FEEDS = Platform("feeds (Atom, RSS)", _recognises, _incidents)
