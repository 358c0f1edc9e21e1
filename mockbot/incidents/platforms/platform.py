"""What a platform is to the importer, and what several of them share."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple

from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident, Level, Point, Source, State, level_of, state_of
from mockbot.incidents.node import Node

_TAG = re.compile(r"<[^<>]{0,2000}>")
LONGEST_TEXT = 500  # characters of a post that are kept


class Platform(NamedTuple):
    """`recognises` a document by its content, and reads its `incidents`: UsageError with the place that is wrong."""

    name: str
    recognises: Callable[[Document], bool]
    incidents: Callable[[Document], Iterator[Incident]]


def tops(document: Document, *keys: str) -> Iterator[Node]:
    """The objects of the document with all these members, wherever they stand in it; not looked for inside another."""
    yield from _within(document.json, keys)


def _within(nodes: tuple[Node, ...], keys: tuple[str, ...]) -> Iterator[Node]:
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        if node.has(*keys):
            yield node
        elif isinstance(node.value, dict):
            waiting += [Node(value, f"{node.path}.{key}") for key, value in reversed(node.value.items())]
        elif isinstance(node.value, list):
            waiting += [Node(value, f"{node.path}[{n}]") for n, value in reversed(list(enumerate(node.value)))]


def level(node: Node, *keys: str) -> Level | None:
    """The first of these members that is a word for how bad it is."""
    return next((found for key in keys if (found := level_of(node.text(key, "")))), None)


def state(node: Node, *keys: str) -> State | None:
    """The first of these members that is a word for how far the incident is."""
    return next((found for key in keys if (found := state_of(node.text(key, "")))), None)


def plain(text: str) -> str:
    """A post without its markup, in one line."""
    return " ".join(unescape(_TAG.sub(" ", unescape(text))).split())[:LONGEST_TEXT]


def window(start: float, end: float | None, source: Source, component: str | None, how: Level) -> Iterator[Point]:
    """A component that was hurt from `start` to `end`; an `end` of None is open."""
    window = f"{start} to {end}"
    yield Point(start, source, component=component, level=how, window=window)
    if end is not None:
        yield Point(end, source, component=component, level="operational", window=window)
