"""Record each request (key, prompt's hash, headers for matching), to reconstruct the run of an external client.

Off until the control API switches it on. The outcome is what the dialect's own reader makes of the bytes sent. While
recording, a body is read before faults at the edge apply, up to `HASHED` bytes: equal hashes are equal prompts, though
each attempt may say the time at which it was made.

A key that mockbot did not hand out may be a real one and never leaves this process: the record has a fingerprint of it,
with a salt of this process, from which the key cannot be found.
"""

import json
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from typing import Any

from pydantic_core import from_json
from starlette.types import Message, Receive, Scope, Send

from mockbot.dialects.client_identity import PROMPT, is_handed_out
from mockbot.dialects.dialect import Dialect, ProviderError
from mockbot.dialects.families import hopeless_code, key_of, retry_count
from mockbot.dialects.identified_text import recognise
from mockbot.dialects.prompt_identity import TRACE_HEADER, mark_in, parent_of, trace_of
from mockbot.dialects.retry_after import wait_in
from mockbot.dialects.stream_readers import Reader
from mockbot.evidence.records import Outcome, Request
from mockbot.http_server.http10 import ended_by_close
from mockbot.service.answer_endpoint import CUT
from mockbot.service.content_encoding import unpacked
from mockbot.service.provider_runtime import ProviderRuntime

Answering = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

KEPT = 100_000  # finished requests
HASHED = 4 * 2**20  # bytes; all the text that a model reads, and the beginning of what has pictures
_PROMPT, _TRACEPARENT = PROMPT.encode(), TRACE_HEADER.encode()
# 2026-11-27T19:16, 19:16:15.5, and seconds to nanoseconds since 1970, from 2020 on.
_TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?|\b\d\d?:\d\d:\d\d(?:[.,]\d+)?|"
                   rb"\b(?:1[6-9]|2\d)\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b")  # fmt: skip
_DIGITS = re.compile(rb"(?<![\w\\-])[A-Za-z_-]*+\d[\w-]*+")  # a number, an id, a model's name; not \u00e9


def fingerprints(body: bytes) -> tuple[str, str]:
    """Of a body without times of day, and without anything that has a digit."""
    body = _TIME.sub(b"", body)
    return blake2b(body, digest_size=8).hexdigest(), blake2b(_DIGITS.sub(b"", body), digest_size=8).hexdigest()


class RequestRecorder:
    """The finished requests of all providers, oldest first, and the open ones."""

    def __init__(self, salt: bytes = b"") -> None:
        self.on = False
        self.arrived = 0
        self.open: dict[int, _RecordedRequest] = {}
        self._finished: deque[Request] = deque(maxlen=KEPT)
        self._dropped = 0
        self.salt = salt or secrets.token_bytes(16)  # of the process that gives it, in one that it has started

    def name_of(self, key: str) -> str:
        """The client's name in every record: its key if mockbot handed it out, else the key's fingerprint."""
        if is_handed_out(key):
            return key
        return f"client-{blake2b(key.encode(), digest_size=5, key=self.salt).hexdigest()}"

    def forget(self) -> None:
        """A new run begins."""
        self._finished.clear()
        self._dropped = 0
        self.open.clear()

    def finish(self, request: Request) -> None:
        """Keep a finished request, unless it belongs to a run that was forgotten."""
        if self.open.pop(request.number, None) is None:
            return
        self._dropped += len(self._finished) == KEPT
        self._finished.append(request)

    def since(self, number: int) -> list[Request]:
        """All but the first `number` finished requests, in the order in which they ended."""
        return list(islice(self._finished, max(0, number - self._dropped), None))

    def unfinished(self) -> list[Request]:
        """Those under way, as of now."""
        return [request.record("unfinished") for request in self.open.values()]


class RecordedEndpoint:
    """An answering endpoint whose requests can be recorded."""

    def __init__(self, app: Answering, recorder: RequestRecorder, runtime: ProviderRuntime, dialect: Dialect) -> None:
        self._app, self.recorder, self.runtime, self.dialect = app, recorder, runtime, dialect

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """ASGI; costs nothing while recording is off."""
        if scope["http_version"] == "1.0":
            send = ended_by_close(send)
        return (self.record if self.recorder.on else self._app)(scope, receive, send)

    async def record(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and record it when it is over."""
        early, size = deque([await receive()]), 0
        while early[-1].get("more_body") and (size := size + len(early[-1]["body"])) < HASHED:
            early.append(await receive())
        request = _RecordedRequest(self, scope, early)
        try:
            await self._app(scope, request.receiving(early, receive), request.sending(send))
        finally:
            self.recorder.finish(request.record(request.outcome()))


def asked(dialect: Dialect, body: bytes) -> bytes:
    """Equal for requests that ask the same thing: the dialect's fields, or all bytes of what is no JSON object."""
    with suppress(ValueError, AttributeError):
        fields = from_json(body)  # ValueError also for what is nested too deep
        return json.dumps({name: fields.get(name) for name in dialect.prompt_fields}, sort_keys=True).encode()
    return body


class _RecordedRequest:
    """One request under way."""

    def __init__(self, endpoint: RecordedEndpoint, scope: Scope, early: Iterable[Message]) -> None:
        self._runtime, self._dialect, self._scope = endpoint.runtime, endpoint.dialect, scope
        self._name_of = endpoint.recorder.name_of
        self._headers = dict(scope["headers"])
        self._asked = bytearray().join(message.get("body", b"") for message in early)
        self._hash, self._shape = fingerprints(asked(endpoint.dialect, self._plain()[:HASHED]))
        self._start = self._runtime.now()
        self._status: int | None = None
        self._retry_after: float | None = None
        self._code: str | None = None
        self._streamed = self._measured = self._complete = self._gone = False
        self._reader: Reader = endpoint.dialect.reader(False)
        self._began: float | None = None  # its first token, or the first bytes of an answer that is not streamed
        self._number = endpoint.recorder.arrived
        endpoint.recorder.arrived += 1
        endpoint.recorder.open[self._number] = self

    def _plain(self) -> bytes:
        """The body so far, unpacked."""
        with suppress(ProviderError):
            return unpacked(bytes(self._asked), self._headers.get(b"content-encoding", b""), self._dialect.largest_body)
        return bytes(self._asked)

    def receiving(self, early: deque[Message], receive: Receive) -> Receive:
        """The endpoint's `receive`: what has been read already, then the rest."""

        async def again() -> Message:
            if early:
                message = early.popleft()
            else:
                message = await receive()
                self._asked += message.get("body", b"")
            self._gone |= message["type"] == "http.disconnect"
            return message

        return again

    def sending(self, send: Send) -> Send:
        """The endpoint's `send`, observed."""

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers, speed = dict(message["headers"]), self._runtime.clock.speed
                self._status = message["status"]
                self._streamed = b"stream" in headers.get(b"content-type", b"")  # text/event-stream, and Amazon's
                self._reader = self._dialect.reader(self._streamed)
                self._measured = b"content-length" in headers
                wait = wait_in(lambda name: headers.get(name.encode(), b"").decode("latin-1") or None, time.time())
                self._retry_after = None if wait is None else wait * speed
            else:
                self._observe(message.get("body", b""))
                self._complete = not message.get("more_body", False)
            await send(message)

        return observed

    def _observe(self, body: bytes) -> None:
        if self._status == 429:
            self._code = self._code or hopeless_code(body)
        now = self._runtime.now() - self._start
        self._reader.part(body, now)
        if self._began is None and body and self._status == 200:
            self._began = self._reader.first if self._streamed else now

    def outcome(self) -> Outcome:
        """The outcome as the provider sees it."""
        if (cut := self._scope.get(CUT)) is not None:
            return "closed" if cut == "closed" else "reset"
        if not self._complete:
            left = self._gone and not self._runtime.chatbot.down
            return "reset" if not left else "timeout" if self._began is None else "slow"
        if self._status is None or self._status >= 400:
            return "rate_limited" if self._status == 429 else "http_error"
        outcome = self._reader.outcome
        # Without a length, only the end of the connection told the client that the JSON is not whole.
        return "truncated" if outcome == "malformed" and not (self._streamed or self._measured) else outcome

    def record(self, outcome: Outcome) -> Request:
        """The record as of now."""
        client, key = self._scope.get("client") or ("", 0), None
        with suppress(ProviderError):  # answered with 401
            key = key_of(self._headers, self._scope.get("query_string", b""))
        retry = (retry_count(self._headers) or b"").decode("latin-1")
        prompt, traceparent = self._headers.get(_PROMPT), self._headers.get(_TRACEPARENT, b"").decode("latin-1")
        return Request(
            number=self._number,
            provider=self._runtime.name,
            path=self._dialect.path,
            key=self._name_of(key) if key else str(client[0]),
            body=self._hash,
            start=self._start,
            end=self._runtime.now(),
            outcome=outcome,
            status=self._status,
            first_token=None if outcome == "blank" else self._began,
            retry_after=self._retry_after,
            prompt=None if prompt is None else prompt.decode("latin-1"),
            retry=int(retry) if retry.isascii() and retry.isdigit() else None,
            port=client[1],
            shape=self._shape,
            trace=trace_of(traceparent),
            parent=parent_of(traceparent),
            mark=mark_in(self._plain()),
            wrote=next((piece.request for piece in recognise(self._reader.text)), None),
            streamed=self._streamed,
            code=self._code,
        )
