"""Read an answer line by line and classify it: lines with their times in, an outcome out. Pure.

    reader = dialect.reader(streamed)        its own EventReader, or a WholeReader
    while not reader.over: reader.line(bytes, now)
    reader.outcome                           what the answer is when the body ends here in order

The rules. A client that merely reads to the end takes each of these for a success, which hides the outage:
- an end without the terminal event and a finish reason is `truncated`: nothing below HTTP can tell that it was a cut;
- an `error` event inside a stream that began with 200 is an error, and so is a whole answer that has an `error`;
- comments (": keep-alive") are no tokens, however steadily they come;
- 200 with no text is `blank`, and anything that is not what the API promises (HTML, half a JSON) is `malformed`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

BodyOutcome = Literal["ok", "blank", "truncated", "malformed", "error_event"]
NOT_PROMISED = (ValueError, KeyError, TypeError, AttributeError, IndexError)  # not JSON, or not the API's shape


@dataclass(slots=True)
class Reader:
    """What was read of one answer. Times are those given to `line`; `tokens` counts the pieces that held text."""

    over: bool = False  # nothing more is expected
    finished: bool = False  # the API gave the reason of the end
    tokens: int = 0
    first: float | None = None
    last: float | None = None
    worst_gap: float | None = None
    length: int = 0  # bytes, counted by the caller
    pieces: list[str] = field(default_factory=list)  # of its text
    _rest: bytes = b""  # of a line whose end has not come yet
    _text: bool = False
    _failed: BodyOutcome | None = None

    def line(self, line: bytes, now: float) -> None:
        """One line of the body, its end included; of a body without lines, the bytes that were `wanted`, or any."""
        raise NotImplementedError

    @property
    def wanted(self) -> int:
        """How many bytes complete what comes next in a body without lines; 0: it comes in lines."""
        return 0

    def part(self, part: bytes, now: float) -> None:
        """The next bytes of the body, which may end amid a line or hold several."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if not self.over:
                self.line(line + b"\n", now)

    @property
    def outcome(self) -> BodyOutcome:
        """What the answer is when it ends here in order."""
        if self._failed is not None:
            return self._failed
        if not (self.over and self.finished):
            return "truncated"
        return "ok" if self._text else "blank"

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.pieces)

    @property
    def claims(self) -> bool:
        """Whether it says of itself that it is whole."""
        return self.over and self.finished

    def token(self, text: object, now: float) -> None:
        """A piece of the answer; no text, or an empty one, is none."""
        if not isinstance(text, str) or not text:
            return
        self.pieces.append(text)
        self._text = self._text or not text.isspace()
        self.tokens += 1
        if self.last is None:
            self.first = now
        else:
            self.worst_gap = max(self.worst_gap or 0.0, now - self.last)
        self.last = now

    def fail(self, outcome: BodyOutcome) -> None:
        """Nothing that comes later counts."""
        self._failed = outcome
        self.over = True


@dataclass(slots=True)
class EventReader(Reader):
    """Server-sent events (WHATWG HTML §9.2) whose data is one line of JSON, which is how all APIs here send theirs."""

    def line(self, line: bytes, now: float) -> None:
        if line.startswith(b"data:"):
            try:
                self.data(line[5:].strip(), now)
            except NOT_PROMISED:
                self.fail("malformed")
        elif line.strip() and not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self.fail("malformed")

    def data(self, data: bytes, now: float) -> None:
        """The data of one event; may raise one of NOT_PROMISED."""
        raise NotImplementedError


@dataclass(slots=True)
class WholeReader(Reader):
    """One JSON document, whose text `text_of` returns. Only HTTP knows its end, so `over` stays False.

    `text_of` raises one of NOT_PROMISED for a document that is not a complete answer.
    """

    text_of: Callable[[Any], str] = str
    _body: bytearray = field(default_factory=bytearray)

    def line(self, line: bytes, now: float) -> None:  # noqa: ARG002 - a whole answer has no first token
        self._body += line

    def part(self, part: bytes, now: float) -> None:
        self.line(part, now)

    @property
    def claims(self) -> bool:
        return self.finished  # after `outcome`, which parses it

    @property
    def outcome(self) -> BodyOutcome:
        try:
            answer = json.loads(self._body)
            if isinstance(answer, dict) and answer.get("error"):
                return "error_event"
            text = self.text_of(answer)
        except NOT_PROMISED:
            return "malformed"
        self.pieces, self.finished = [text], True
        return "ok" if text.strip() else "blank"
