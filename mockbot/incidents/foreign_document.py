"""A file of an unknown platform: bytes in, its text and whatever structure it has (JSON, XML, CSV) out.

Text is UTF-8 or, with a byte order mark or by its zeros, UTF-16 (AWS writes UTF-16BE). JSON may stand inside a page
of HTML: in Statuspage's `data-react-props`, or in the chunks that Next.js pushes (incident.io). XML with a DOCTYPE is
refused, so that no entity is ever expanded.
"""

import csv
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from xml.etree import ElementTree as ET

from mockbot.errors import UsageError
from mockbot.incidents.node import Node

MOST_BYTES = 32 * 2**20
MOST_FAILURES = 1000  # brackets that begin no JSON, in one page
_REACT = re.compile(r'data-react-props="([^"]*)"')
_CHUNK = re.compile(r'self\.__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*+")\]\)')
_NAMESPACE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Document:
    """`json`: all values that were found, a whole file or those in a page; `xml`: tags without their namespace."""

    text: str
    json: tuple[Node, ...] = ()
    xml: ET.Element | None = None
    rows: tuple[tuple[str, ...], ...] = ()  # of a CSV, its head included


def read_document(data: bytes) -> Document:
    """UsageError when it is empty, too large, not text, or malformed."""
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"the file has {len(data):,} bytes; at most {MOST_BYTES:,} are read; cut it down to the incident"
        )
    text = _decoded(data).strip()
    if not text:
        raise UsageError("the file is empty; save it once more")
    if text[0] in "[{":
        return Document(text, (Node(_json(text)),))
    if text[0] == "<":
        pages = _json_in_html(text)
        return Document(text, pages) if pages else Document(text, xml=_xml(text))
    return Document(text, rows=_rows(text))


def _decoded(data: bytes) -> str:
    even, odd = data[0:400:2].count(0), data[1:400:2].count(0)
    quarter = len(data[:400]) // 4
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    name = "utf-16" if wide else "utf-16-be" if even > quarter else "utf-16-le" if odd > quarter else "utf-8-sig"
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start}: not text in {name}; save the file as UTF-8") from None


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{error.lineno}:{error.colno}: not JSON: {error.msg}; was the file saved whole?") from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"not JSON that can be read: {error}; was the file saved whole?") from None
    return value


def _json_in_html(text: str) -> tuple[Node, ...]:
    """Every JSON object in a page of HTML; none when it has none."""
    values = [_json(html.unescape(props)) for props in _REACT.findall(text)]
    values += _objects("".join(json.loads(chunk) for chunk in _CHUNK.findall(text)))
    return tuple(Node(value, f"$page[{n}]") for n, value in enumerate(values))


def _objects(text: str) -> Iterator[object]:
    """The outermost JSON objects between other words; gives up after MOST_FAILURES that are none."""
    decoder, failures, at = json.JSONDecoder(), 0, text.find("{")
    while at >= 0 and failures < MOST_FAILURES:
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            failures, end = failures + 1, at + 1
        else:
            yield value
        at = text.find("{", end)


def _xml(text: str) -> ET.Element:
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        if re.match(r"<!doctype html", text, re.IGNORECASE) or "<html" in text[:2000].lower():
            raise UsageError("the file is a page of HTML without data in it; save the JSON or the feed of the page")
        raise UsageError("XML with a DOCTYPE or an ENTITY is refused; remove it, a feed needs none")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a DOCTYPE there is no entity to expand
    except ET.ParseError as error:
        raise UsageError(f"not XML: {error}; was the file saved whole?") from None
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
    return root


def _rows(text: str) -> tuple[tuple[str, ...], ...]:
    try:
        by = csv.Sniffer().sniff(text[:4000], delimiters=",;\t").delimiter
        rows = [
            tuple(cell.strip() for cell in row)
            for row in csv.reader(StringIO(text, newline=""), delimiter=by)
            if any(row)
        ]
    except csv.Error as error:
        raise UsageError(
            f"neither JSON nor XML, and not a CSV either: {error}; save the JSON, the feed or a CSV"
        ) from None
    return tuple(rows)
