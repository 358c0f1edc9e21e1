"""Give recorded answers again: a request in, the answer of the recorded request that asks the same, at its own pace.

Rules
- Requests are the same when method, path, query and body are; JSON is compared without its layout, and credentials and
  headers are no part of it. Where none is the same, what changes by itself is left out: UUIDs, the ids of APIs
  (`call_…`, `toolu_…`), times of day with their dates, Unix times, mockbot's own mark of a prompt, and whatever
  --replay-ignore matches.
- Equal requests get their answers in the order recorded; after the last one the order begins anew.
- A request that was not recorded is a 404 that names the nearest recorded one. Nothing is ever sent anywhere.
"""

import json
import re
from collections import deque
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from mockbot.dialects.families import without_keys
from mockbot.errors import UsageError
from mockbot.upstream.answer_recording import Record, read_recording, without_secrets
from mockbot.upstream.exchange import Asked, Exchange, NotGivenError

_COMPARED = 2_000  # characters of a body, and as many requests, that are looked at to find the nearest one
_BY_ITSELF = (
    r"\[q[0-9a-z]{6}\]",  # mockbot's mark of a prompt
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    r"\b(?:call|toolu|tooluse|msg|resp|req|run|rs|fc|chatcmpl|srvtoolu)[_-](?=[\w-]*\d)[\w-]{6,}",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    r"\b\d\d?:\d\d:\d\d(?:[.,]\d+)?",
    r"\b(?:1[6-9]|2\d)\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b",  # seconds to nanoseconds since 1970, from 2020 on
)


class Replay:
    """A source that gives recorded answers; `scale`: wall seconds for a recorded one."""

    def __init__(self, file: Path, scale: float, ignore: Sequence[str] = ()) -> None:
        self._file, self.scale = file, scale
        self._ignored = compiled(ignore)
        self._same: dict[str, deque[Record]] = {}
        self._alike: dict[str, deque[Record]] = {}
        for record in read_recording(file):
            key = self._key(record)
            self._same.setdefault(key, deque()).append(record)
            self._alike.setdefault(self._ignored.sub("*", key), deque()).append(record)

    def _key(self, asked: Asked | Record) -> str:
        target = without_keys((), without_secrets(asked.target))[1]
        try:
            body = json.dumps(json.loads(asked.body), sort_keys=True, ensure_ascii=False)
        except ValueError:
            body = asked.body.decode("latin-1")
        return f"{asked.method} {target.decode('latin-1')}\n{body}"

    def ask(self, asked: Asked, exchange: Exchange) -> None:
        """Fill the exchange at once: its chunks say when each is due."""
        key = self._key(asked)
        records = self._same.get(key) or self._alike.get(self._ignored.sub("*", key))
        if records is None:
            path = asked.target.partition(b"?")[0].decode("latin-1")
            near = self._nearest(key)
            where = "nothing is recorded" if near is None else f"nearest: line {near.line}"
            name = f"{asked.method} {path} ({where} of {self._file.name})"
            raise NotGivenError(404, "replay", name, f"mockbot has no recorded answer to {name}")
        record = records[0]
        records.rotate(-1)
        exchange.chunks.extend(record.chunks)
        exchange.status, exchange.headers, exchange.came = record.status, [*record.headers], record.came
        exchange.end = record.end

    def _nearest(self, key: str) -> Record | None:
        head = key.partition("\n")[0]
        keys = [*self._same][:_COMPARED]
        alike = [each for each in keys if each.startswith(f"{head}\n")] or keys
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(key[:_COMPARED])

        def likeness(other: str) -> float:
            matcher.set_seq1(other[:_COMPARED])
            return matcher.quick_ratio()

        return self._same[max(alike, key=likeness)][0] if alike else None


def compiled(ignore: Iterable[str]) -> re.Pattern[str]:
    """All that may differ. UsageError for what is no regular expression."""
    for each in ignore:
        try:
            re.compile(each)
        except re.error as error:
            raise UsageError(f"--replay-ignore {each}: {error}") from None
    return re.compile("|".join(f"(?:{each})" for each in (*ignore, *_BY_ITSELF)))
