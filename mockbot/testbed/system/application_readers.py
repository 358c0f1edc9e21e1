"""Read the answer of an application's own endpoint: lines of its body in, text and outcome out. Pure.

Each form can claim something else. A JSON document that parses claims to be whole; a stream does when its last event
has come, if it has one; plain text and streams without a last event never do: for them only HTTP knows the end.
"""

import json
from functools import cache

import jsonpath

from mockbot.evidence.records import Outcome
from mockbot.scenario.document import Value

QUOTED = 160  # bytes of an answer that an error quotes

_compiled = cache(jsonpath.compile)


class ApplicationReader:
    """What was read of one answer; times are those given to `line`. Plain text is read as it is."""

    wanted = 0  # it comes in lines, as `Reader.wanted` says

    def __init__(self) -> None:
        self.over = False  # nothing more is expected
        self.claims = False  # it says of itself that it is whole
        self.text = ""
        self.tokens = 0  # pieces that held text
        self.first: float | None = None
        self.last: float | None = None
        self.worst_gap: float | None = None
        self.length = 0  # bytes, counted by the caller
        self.unreadable = ""  # why it could not be read, and its beginning

    def line(self, line: bytes, now: float) -> None:
        """One line of the body, its end included."""
        self._take(line.decode("utf-8", "replace"), now)

    @property
    def outcome(self) -> Outcome:
        """What the answer is when its body ends here in order."""
        if self.unreadable:
            return "malformed"
        return "ok" if self.text.strip() else "blank"

    def _take(self, piece: object, now: float) -> None:
        if not isinstance(piece, str) or not piece:
            return
        self.text += piece
        self.tokens += 1
        if self.last is None:
            self.first = now
        else:
            self.worst_gap = max(self.worst_gap or 0.0, now - self.last)
        self.last = now

    def _refuse(self, why: str, answer: bytes) -> None:
        self.unreadable = f"{why}; it begins with {answer[:QUOTED].decode('utf-8', 'replace')!r}"
        self.over = True


class JsonReader(ApplicationReader):
    """One JSON document with the text at `path`: known when its body has ended."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self._body = path, b""

    def line(self, line: bytes, now: float) -> None:  # noqa: ARG002 - a document has no first token
        """Collect."""
        self._body += line

    @property
    def outcome(self) -> Outcome:
        """Parses the document."""
        try:
            found = _compiled(self._path).findall(json.loads(self._body))
        except ValueError:
            self._refuse("the answer is not JSON", self._body)
            return "malformed"
        if not found or not isinstance(found[0], str):
            what = "nothing" if not found else f"no text but {json.dumps(found[0])[:40]}"
            self._refuse(f"there is {what} at {self._path} of the answer", self._body)
        else:
            self.text, self.claims = found[0], True
        return super().outcome


class StreamReader(ApplicationReader):
    """A JSON value a line (NDJSON), each with a piece of the text at `path`.

    Lines without such a piece are passed over (roles, sources, usage); when all are, the path is wrong.
    """

    def __init__(self, path: str, ends: str | None) -> None:
        super().__init__()
        self._path, self._ends, self._seen = path, ends, b""

    def line(self, line: bytes, now: float) -> None:
        """One value."""
        if line.strip():
            self._seen = self._seen or line
            self._value(line.strip(), now)

    @property
    def outcome(self) -> Outcome:
        """`truncated` without the last event of a stream that has one."""
        if not self.unreadable and self._seen and not self.tokens:
            self._refuse(f"no part of the stream has text at {self._path}", self._seen)
        if self._ends is not None and not self.claims and not self.unreadable:
            return "truncated"
        return super().outcome

    def _value(self, data: bytes, now: float) -> None:
        try:
            value: Value = json.loads(data)
        except ValueError:
            self._refuse("a part of the stream is not JSON", data)
            return
        for piece in _compiled(self._path).findall(value)[:1]:
            self._take(piece, now)
        if self._ends is not None and self._is_last(value):
            self.claims = self.over = True

    def _is_last(self, value: Value) -> bool:
        return any(found not in (None, False) for found in _compiled(str(self._ends)).findall(value))


class EventReader(StreamReader):
    """Server-sent events (WHATWG HTML §9.2) with one line of data each; with the path `$`, the data is the piece."""

    def line(self, line: bytes, now: float) -> None:
        """One line of an event."""
        if not line.startswith(b"data:"):
            return
        data = line[5:].removeprefix(b" ").rstrip(b"\r\n")
        if self._ends is not None and data.decode("utf-8", "replace") == self._ends:
            self.claims = self.over = True
        elif self._path == "$":
            self._take(data.decode("utf-8", "replace"), now)
        else:
            super().line(data, now)

    def _is_last(self, value: Value) -> bool:  # noqa: ARG002 - its last event is compared as text
        return False
