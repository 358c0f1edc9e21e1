"""What real clients sent, in a file: written by test_live.py, and judged again through the service's recorder.

recorded.json: client -> {"version": what was recorded, and when; "headers": those of all its requests; "bodies";
"cells": kind -> requests}. A request is [start, end, connection, status, retry_after, index of its body, its other
headers], in seconds since the client's first one.
"""

import fcntl
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from mockbot.dialects.families import FAMILIES
from mockbot.evidence.attempt_inference import journal_of
from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.service.request_recorder import RecordedEndpoint, RequestRecorder
from tests.clients_in_the_wild.cells import Client, Kind
from tests.clients_in_the_wild.relay import Sent

FILE = Path(__file__).parent / "recorded.json"
ANSWER = (  # of either dialect
    b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],'
    b'"type":"message","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn"}'
)
DIALECTS = {dialect.path: dialect for family in FAMILIES.values() for dialect in family.dialects}
Row = tuple[float, float, int, int, float | None, str, dict[str, str]]


def rows_of(sent: Sequence[Sent], requests: Sequence[Request]) -> list[Row]:
    """What a client sent and was answered, one request after the other; `host` and lengths are left out."""
    ordered = sorted(requests, key=lambda each: each.start)
    assert len(sent) == len(ordered), (len(sent), len(ordered))
    began = ordered[0].start
    left_out = {"host", "content-length"}
    return [
        (
            round(answered.start - began, 3),
            round(answered.end - began, 3),
            each.connection,
            answered.status or 0,
            answered.retry_after,
            each.body,
            {":path": each.path, **{name: value for name, value in each.headers.items() if name not in left_out}},
        )
        for each, answered in zip(sent, ordered, strict=True)
    ]


def write(client: Client, kind: Kind, rows: Sequence[Row], versions: str) -> None:
    """Put one cell into the file, which several workers of pytest may do at once."""
    with FILE.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        table = json.loads(file.read() or "{}")
        entry = table.get(client.name, {"cells": {}})
        cells = {name: [unpacked(row, entry) for row in cell] for name, cell in entry["cells"].items()}
        table[client.name] = _packed(cells | {kind: list(rows)}, versions)
        file.truncate(0)
        file.write(_compact(dict(sorted(table.items()))))


def _packed(cells: Mapping[str, Sequence[Row]], versions: str) -> dict[str, Any]:
    every = [row for cell in cells.values() for row in cell]
    common = {name: value for name, value in every[0][6].items() if all(row[6].get(name) == value for row in every)}
    bodies = sorted({row[5] for row in every})
    return {
        "version": versions,
        "headers": common,
        "bodies": bodies,
        "cells": {
            name: [
                (*row[:5], bodies.index(row[5]), {k: v for k, v in row[6].items() if k not in common}) for row in cell
            ]
            for name, cell in sorted(cells.items())
        },
    }


def _compact(file: dict[str, Any]) -> str:
    """A request in a line."""
    text = json.dumps(file, indent=1)
    lines = re.compile(r"\[\n {5}(?=\d)(.*?)\n {4}\]", re.S)
    return lines.sub(lambda found: "[" + re.sub(r"\n *", " ", found[1]) + "]", text) + "\n"


def unpacked(row: Sequence[Any], entry: dict[str, Any]) -> Row:
    """A request with all its headers."""
    start, end, connection, status, retry_after, body, headers = row
    return start, end, connection, status, retry_after, entry["bodies"][body], {**entry["headers"], **headers}


@dataclass(slots=True)
class _Replay:
    """An application and its client in one: each recorded request, answered as it was, at the times that it had."""

    row: Row
    now: float = 0.0

    async def app(self, _scope: Scope, receive: Receive, send: Send) -> None:
        _, end, _, status, retry_after, *_ = self.row
        await receive()
        self.now = end
        told = [] if retry_after is None else [(b"retry-after", b"%d" % retry_after)]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": ANSWER})

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.row[5].encode(), "more_body": False}

    async def send(self, _: Message) -> None:
        """To nobody."""


async def replay(client: Client, kind: Kind) -> list[Attempt | Prompt]:
    """The journal of a recorded cell: its requests through the service's recorder, and what that inferred."""
    entry = json.loads(FILE.read_text("utf-8"))[client.name]
    rows = [unpacked(row, entry) for row in entry["cells"][kind]]
    recorder, played = RequestRecorder(), _Replay(rows[0])
    runtime: Any = SimpleNamespace(
        name="main", now=lambda: played.now, clock=SimpleNamespace(speed=1.0), chatbot=SimpleNamespace(down=False)
    )
    for row in rows:
        played.row, played.now = row, row[0]
        headers = [(name.encode(), value.encode()) for name, value in row[6].items() if name != ":path"]
        endpoint = RecordedEndpoint(played.app, recorder, runtime, DIALECTS[row[6][":path"].partition("?")[0]])
        await endpoint.record({"headers": headers, "client": ("127.0.0.1", row[2])}, played.receive, played.send)
    return journal_of(recorder.since(0), (), "command")
