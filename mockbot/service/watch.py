"""Tell requests apart: every request and what it was sent in, one Request record each out. Off unless control asks.

For clients that keep no journal (somebody's own program). What it says of an answer is read off the bytes that were
sent, so that it is true for every dialect and every fault. While it is on, the first piece of a request's body is read
before anything else, faults at the edge included: the body says which requests ask the same thing.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from itertools import islice
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from mockbot.evidence.records import Outcome, Request
from mockbot.service.desk import Desk

Answering = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

KEPT = 100_000  # finished requests
# Words or a tool's arguments: OpenAI's deltas and messages, Responses' deltas, Anthropic's blocks.
_WORDS = re.compile(rb'"(?:content|text|delta|arguments|partial_json)":"[^"]|"input":\{"')
_CLOSING = (b"data: [DONE]", b'"message_stop"', b"event: response.completed\n", b"event: response.incomplete\n")
_ERROR = (b'data: {"error"', b"event: error\n", b"event: response.failed\n")
_SAYS_WORDS = ("/v1/chat/completions", "/v1/messages", "/v1/responses")


class Watch:
    """The finished requests of all providers, oldest first, and the open ones."""

    def __init__(self) -> None:
        self.on = False
        self.arrived = 0
        self.open: dict[int, _Look] = {}
        self._finished: deque[Request] = deque(maxlen=KEPT)
        self._dropped = 0

    def forget(self) -> None:
        """A new run begins."""
        self._finished.clear()
        self._dropped = 0
        self.open.clear()

    def finish(self, request: Request) -> None:
        """This one is over; those of a run that is forgotten are not kept."""
        if self.open.pop(request.number, None) is None:
            return
        self._dropped += len(self._finished) == KEPT
        self._finished.append(request)

    def since(self, number: int) -> list[Request]:
        """All but the first `number` finished requests, in the order in which they ended."""
        return list(islice(self._finished, max(0, number - self._dropped), None))

    def unfinished(self) -> list[Request]:
        """Those that are still under way, as they are now."""
        return [look.record("unfinished") for look in self.open.values()]


class Watched:
    """An answering endpoint, watched."""

    def __init__(self, app: Answering, watch: Watch, desk: Desk, path: str, malformed: bytes) -> None:
        self._app, self._watch, self._desk, self._path, self._malformed = app, watch, desk, path, malformed

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """ASGI; what is not watched costs nothing."""
        return (self._looked_at if self._watch.on else self._app)(scope, receive, send)

    async def _looked_at(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        look = _Look(self._watch, self._desk, self._path, self._malformed, scope, first)
        try:
            await self._app(scope, look.receiving(first, receive), look.sending(send))
        finally:
            self._watch.finish(look.record(look.outcome()))


class _Look:
    """One request while it is under way."""

    def __init__(self, watch: Watch, desk: Desk, path: str, malformed: bytes, scope: Scope, first: Message) -> None:
        self._desk, self._path, self._malformed = desk, path, malformed
        self._headers = dict(scope["headers"])
        self._client = scope.get("client") or ("", 0)
        self._body = blake2b(first.get("body", b""), digest_size=8).hexdigest()
        self._start = desk.now()
        self._status: int | None = None
        self._retry_after: float | None = None
        self._streamed = self._measured = self._complete = self._gone = False
        self._first_words: float | None = None
        self._closed = self._failed = self._broken = False
        self._whole = bytearray()
        self._number = watch.arrived
        watch.arrived += 1
        watch.open[self._number] = self

    def receiving(self, first: Message, receive: Receive) -> Receive:
        """What the endpoint receives: the first piece again, then the rest."""
        early = [first]

        async def again() -> Message:
            message = early.pop() if early else await receive()
            self._gone |= message["type"] == "http.disconnect"
            return message

        return again

    def sending(self, send: Send) -> Send:
        """What the endpoint sends, looked at on its way."""

        async def look(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._started(message)
            else:
                self._sent(message.get("body", b""))
                self._complete = not message.get("more_body", False)
            await send(message)

        return look

    def _started(self, message: Message) -> None:
        headers = dict(message["headers"])
        self._status = message["status"]
        self._streamed = headers.get(b"content-type", b"").startswith(b"text/event-stream")
        self._measured = b"content-length" in headers
        speed = self._desk.clock.speed
        if b"retry-after-ms" in headers:
            self._retry_after = int(headers[b"retry-after-ms"]) / 1000 * speed
        elif b"retry-after" in headers:
            self._retry_after = int(headers[b"retry-after"]) * speed

    def _sent(self, body: bytes) -> None:
        if self._first_words is None and _WORDS.search(body):
            self._first_words = self._desk.now() - self._start
        if not self._streamed:
            self._whole += body
            return
        self._closed |= any(mark in body for mark in _CLOSING)
        self._failed |= any(mark in body for mark in _ERROR)
        self._broken |= self._malformed in body

    def outcome(self) -> Outcome:
        """What became of it, as far as the provider knows."""
        if not self._complete:
            left = self._gone and not self._desk.chatbot.down
            return "reset" if not left else "timeout" if self._first_words is None else "slow"
        if self._status is None or self._status >= 400:
            return "rate_limited" if self._status == 429 else "http_error"
        return self._streamed_outcome() if self._streamed else self._whole_outcome()

    def _streamed_outcome(self) -> Outcome:
        if self._failed:
            return "error_event"
        if self._broken:
            return "malformed"
        return "truncated" if not self._closed else self._spoken()

    def _whole_outcome(self) -> Outcome:
        try:
            json.loads(bytes(self._whole))
        except ValueError:
            return "malformed" if self._measured else "truncated"
        return self._spoken()

    def _spoken(self) -> Outcome:
        return "blank" if self._first_words is None and self._path in _SAYS_WORDS else "ok"

    def record(self, outcome: Outcome) -> Request:
        """The record as of now."""
        return Request(
            number=self._number,
            provider=self._desk.name,
            path=self._path,
            key=self._key(),
            body=self._body,
            start=self._start,
            end=self._desk.now(),
            outcome=outcome,
            status=self._status,
            first_token=self._first_words,
            retry_after=self._retry_after,
            prompt=self._text(b"x-mockbot-prompt"),
            retry=_number(self._text(b"x-stainless-retry-count")),
            port=self._client[1],
        )

    def _key(self) -> str:
        given = self._text(b"x-api-key") or (self._text(b"authorization") or "").partition(" ")[2].strip()
        return given or str(self._client[0])

    def _text(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
