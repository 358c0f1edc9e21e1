"""Read an answer line by line and classify it: lines with their times in, an Outcome out. Pure.

    reader = OpenAIStream()                 or AnthropicStream(), or WholeAnswer() for an answer that is not streamed
    while not reader.over: reader.line(bytes, now)
    reader.outcome                           what the answer is when the body ends here in order

The rules. A client that merely reads to the end takes each of these for a success, which hides the outage:
- an end without the terminal event and a finish reason is `truncated`: nothing below HTTP can tell that it was a cut;
- an `error` event inside a stream that began with 200 is an error;
- comments (": keep-alive") are no tokens, however steadily they come;
- 200 with no text is `blank`, and anything that is not what the API promises (HTML, half a JSON) is `malformed`.
"""

import json
from dataclasses import dataclass, field

from mockbot.evidence.records import Outcome


@dataclass(slots=True)
class Reader:
    """What was read of one answer. Times are those given to `line`; `tokens` counts the pieces that held text."""

    over: bool = False  # nothing more is expected
    tokens: int = 0
    first: float | None = None
    last: float | None = None
    worst_gap: float | None = None
    length: int = 0  # bytes, counted by the caller
    _finished: bool = False
    _text: bool = False
    _failed: Outcome | None = None

    def line(self, line: bytes, now: float) -> None:
        """One line of the body, its end included."""
        raise NotImplementedError

    @property
    def outcome(self) -> Outcome:
        """What the answer is when it ends here in order."""
        if self._failed is not None:
            return self._failed
        if not (self.over and self._finished):
            return "truncated"
        return "ok" if self._text else "blank"

    def _token(self, text: object, now: float) -> None:
        if not isinstance(text, str) or not text:
            return
        self._text = self._text or not text.isspace()
        self.tokens += 1
        if self.last is None:
            self.first = now
        else:
            self.worst_gap = max(self.worst_gap or 0.0, now - self.last)
        self.last = now

    def _fail(self, outcome: Outcome) -> None:
        self._failed = outcome
        self.over = True


@dataclass(slots=True)
class _EventReader(Reader):
    """Server-sent events (WHATWG HTML §9.2) whose data is one line of JSON, which is how both APIs send theirs."""

    def line(self, line: bytes, now: float) -> None:
        if line.startswith(b"data:"):
            try:
                self._data(line[5:].strip(), now)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):  # not JSON, or not the API's shape
                self._fail("malformed")
        elif line.strip() and not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self._fail("malformed")

    def _data(self, data: bytes, now: float) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class OpenAIStream(_EventReader):
    """`POST /v1/chat/completions` with `stream: true`: chat completion chunks, then `[DONE]`."""

    def _data(self, data: bytes, now: float) -> None:
        if data == b"[DONE]":
            self.over = True
        elif "error" in (chunk := json.loads(data)):
            self._fail("error_event")
        else:
            for choice in chunk["choices"]:  # the usage chunk has none
                self._token(choice["delta"].get("content"), now)
                self._finished = self._finished or choice.get("finish_reason") is not None


@dataclass(slots=True)
class AnthropicStream(_EventReader):
    """`POST /v1/messages` with `stream: true`: content blocks, message_delta with the stop reason, message_stop."""

    def _data(self, data: bytes, now: float) -> None:
        event = json.loads(data)
        match event["type"]:
            case "content_block_delta":
                self._token(event["delta"].get("text"), now)
            case "message_delta":
                self._finished = event["delta"].get("stop_reason") is not None
            case "message_stop":
                self.over = True
            case "error":
                self._fail("error_event")


@dataclass(slots=True)
class WholeAnswer(Reader):
    """Either API without `stream`: one JSON document. Only HTTP knows its end, so `over` stays False."""

    _body: bytearray = field(default_factory=bytearray)

    def line(self, line: bytes, now: float) -> None:  # noqa: ARG002 - a whole answer has no first token
        self._body += line

    @property
    def outcome(self) -> Outcome:
        try:
            answer = json.loads(self._body)
            if "choices" in answer:  # OpenAI's
                choice = answer["choices"][0]
                text, end = choice["message"]["content"] or "", choice["finish_reason"]
            else:  # Anthropic's
                text, end = "".join(block.get("text", "") for block in answer["content"]), answer["stop_reason"]
        except (ValueError, KeyError, TypeError, IndexError):
            return "malformed"
        return "malformed" if end is None else "ok" if text.strip() else "blank"
