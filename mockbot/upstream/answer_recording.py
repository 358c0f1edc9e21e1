"""Recordings of real answers: JSON Lines, written while a provider answers and read to replay it. Format 1.

    {"mockbot_recording": 1}                                               the first line
    {"method": "POST", "target": "/v1/chat/completions", "body": "{…}",    a request, without its headers
     "came": 0.21, "status": 200, "headers": [["content-type", "…"], …],   its answer's head, after so many seconds
     "chunks": [[0.21, "data: …"], …],                                     its body: seconds since the request, bytes
     "end": "ok"}                                                          ok, closed, reset, or left (by the client)

Bytes are a string where they are UTF-8, else {"base64": "…"}. Chunks that come together are one. An answer that its
client leaves, or a fault ends, keeps what came until then.

Rules. No credential is written: request headers are left out, the query loses every parameter that carries a key, the
answer loses its cookies, and what a credential of the request says is masked wherever else it occurs. A record is one
write of one whole line, so that whatever ends the process leaves whole lines. An answer of more than LARGEST bytes is
not recorded; nothing else is held in memory than the answers under way.
"""

import base64
import json
import os
import re
from binascii import Error as NotBase64Error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from mockbot.dialects.client_identity import MASK
from mockbot.dialects.dialect import Header
from mockbot.dialects.families import credentials_in, without_keys
from mockbot.errors import UsageError
from mockbot.upstream.exchange import Asked, Chunk, Ended, Exchange, Source

VERSION = 1
LARGEST = 16 * 2**20  # bytes of one answer
_SHORTEST = 8  # characters of a credential that is masked elsewhere, too: shorter ones occur by chance
_NOT_KEPT = frozenset({b"set-cookie", b"date"})
_SECRET = re.compile(r"key|token|secret|passw|auth|sig|credential", re.IGNORECASE)  # in a query parameter's name


@dataclass(frozen=True, slots=True)
class Record:
    """One request and its answer; `line`: of the file."""

    line: int
    method: str
    target: bytes
    body: bytes
    came: float
    status: int
    headers: tuple[Header, ...]
    chunks: tuple[Chunk, ...]
    end: Ended


class Recorder:
    """A source whose answers are written down as they pass; `note` is told, once, that they cannot be written."""

    def __init__(self, source: Source, file: Path, note: Callable[[str], None]) -> None:
        self._source, self.scale = source, source.scale
        self._file, self._note, self._broken = file, note, False
        try:
            self._out = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UsageError(f"--record {file}: {error.strerror}; a recording is a new file") from None
        self.write({"mockbot_recording": VERSION})

    def write(self, record: object) -> None:
        """A line; after the first that cannot be written as a whole there is no other, so that it stays the last."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            while line and not self._broken:
                line = line[os.write(self._out, line) :]
        except OSError as error:
            self._broken = True
            self._note(f"could not write the recording {self._file}: {error.strerror}; what came after is not in it")

    def ask(self, asked: Asked, exchange: Exchange) -> None:
        """As Source."""
        exchange.copy = _Copy(self, asked)
        self._source.ask(asked, exchange)


class _Copy:
    """What has come of one answer; the exchange tells it."""

    def __init__(self, recorder: Recorder, asked: Asked) -> None:
        self._recorder, self._asked = recorder, asked
        self._chunks: list[Chunk] = []
        self._size = 0

    def add(self, chunk: Chunk) -> None:
        self._size += len(chunk[1])
        if self._size <= LARGEST:
            self._chunks.append(chunk)
        else:
            self._chunks = []

    def finish(self, exchange: Exchange, end: Ended) -> None:
        if not exchange.status or self._size > LARGEST:
            return
        asked, hidden = self._asked, _credentials(self._asked)
        masked = sum(len(_masked(data, hidden)) for _, data in self._chunks) != self._size
        _, target = without_keys((), without_secrets(asked.target))
        line = {
            "method": asked.method,
            "target": _text(target, hidden),
            "body": _text(asked.body, hidden),
            "came": round(exchange.came, 4),
            "status": exchange.status,
            "headers": [
                [name.decode("latin-1"), _masked(value, hidden).decode("latin-1")]
                for name, value in exchange.headers
                if name not in _NOT_KEPT and not (masked and name == b"content-length")
            ],
            "chunks": [[round(at, 4), _text(data, hidden)] for at, data in self._chunks],
            "end": end,
        }
        self._recorder.write(line)


def _credentials(asked: Asked) -> list[bytes]:
    """What must not be written, the longest first."""
    found = [value for name, value in asked.headers if name in {b"cookie", b"proxy-authorization"} or _named(name)]
    found += [word for value in found for word in value.split()]
    query = asked.target.partition(b"?")[2]
    found += [each.partition(b"=")[2] for each in query.split(b"&") if _named(each.partition(b"=")[0])]
    found += credentials_in(asked.headers, query)
    return sorted({each for each in found if len(each) >= _SHORTEST}, key=len, reverse=True)


def _named(name: bytes) -> bool:
    return _SECRET.search(unquote(name.decode("latin-1"))) is not None


def without_secrets(target: bytes) -> bytes:
    """A path and its query without the parameters that are named like a credential."""
    path, _, query = target.partition(b"?")
    kept = b"&".join(each for each in query.split(b"&") if not _named(each.partition(b"=")[0]))
    return b"%b?%b" % (path, kept) if kept else path


def _masked(data: bytes, hidden: list[bytes]) -> bytes:
    for each in hidden:
        data = data.replace(each, MASK.encode())
    return data


def _text(data: bytes, hidden: list[bytes]) -> object:
    data = _masked(data, hidden)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def read_recording(file: Path) -> Iterator[Record]:
    """Every record. UsageError with the line of what is damaged; the last line may be unfinished only where it has no
    end, as after a `kill -9`.
    """
    try:
        with file.open("rb") as lines:
            number = 0
            for number, line in enumerate(lines, 1):
                if number == 1:
                    _check_first(file, line)
                elif line.endswith(b"\n") or _is_json(line):
                    yield _record(file, number, line)
            if not number:
                _check_first(file, b"")
    except OSError as error:
        raise UsageError(f"--replay {file}: {error.strerror}; give a file that --record wrote") from None


def _check_first(file: Path, line: bytes) -> None:
    first = json.loads(line) if _is_json(line) else None
    version = first.get("mockbot_recording") if isinstance(first, dict) else None
    if version is None:
        raise UsageError(f"{file}:1: this is no recording of mockbot's; give a file that --record wrote")
    if version != VERSION:
        raise UsageError(
            f"{file}:1: a recording of format {version}; this mockbot reads format {VERSION}; record it anew"
        )


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _record(file: Path, number: int, line: bytes) -> Record:
    try:
        given = cast("Mapping[str, Any]", json.loads(line))
        end = given["end"]
        if end not in {"ok", "closed", "reset", "left"}:
            raise ValueError(f"its end is {end!r}")
        return Record(
            line=number,
            method=str(given["method"]),
            target=_bytes(given["target"]),
            body=_bytes(given["body"]),
            came=float(given["came"]),
            status=int(given["status"]),
            headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in given["headers"]),
            chunks=tuple((float(at), _bytes(data)) for at, data in given["chunks"]),
            end=end,
        )
    except (ValueError, KeyError, TypeError, AttributeError, NotBase64Error) as error:
        why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{file}:{number}: this record is damaged: {why}; record it anew") from None


def _bytes(given: object) -> bytes:
    if isinstance(given, str):
        return given.encode("utf-8")
    return base64.b64decode(cast("Mapping[str, str]", given)["base64"], validate=True)
