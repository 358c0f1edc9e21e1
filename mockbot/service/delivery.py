"""Deliver an admitted answer to one client: whole or token by token, with the faults within it.

A plain answer is sent when its slot is free again. A stream sleeps until its next token is due, at least 10 wall ms
after its last write, and writes all tokens due in one event: at high speed several tokens share an event, and a late
wake-up catches up. The response begins with its first token, so that an error before it can still be a status.
"""

import asyncio
import math
import time
from typing import Literal

from starlette.types import Receive, Send

from mockbot.dialects.answer_parts import Choice, blank
from mockbot.dialects.dialect import AnswerMetadata, Dialect, Header, ProviderError, Stream, status_within
from mockbot.faults.effects import End, Garbled, Silence
from mockbot.service.answer_content import prose
from mockbot.service.chatbot import Answer
from mockbot.service.delivery_script import script
from mockbot.service.job import REFUSED_LATE
from mockbot.service.prometheus_counters import Outcome
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.sleep_grid import Alarm

BETWEEN_WRITES = 0.010  # wall seconds
KEEPALIVE = 5.0  # scenario seconds between two keep-alives of a stalled stream
JSON = (b"content-type", b"application/json")
_NO_CACHE = (b"cache-control", b"no-cache")


class ClientLeftError(Exception):
    """The client has disconnected."""


class CutOffError(Exception):
    """The connection is to end now: by RST, or by FIN once everything is sent."""

    def __init__(self, how: Literal["reset", "closed"]) -> None:
        super().__init__(how)
        self.how: Literal["reset", "closed"] = how


class Delivery:
    """Raises ProviderError when the answer turns out to be an error before its first byte, CutOffError when the
    connection is to end, and nothing when the client leaves.
    """

    __slots__ = (
        "_alarm", "_answer", "_choices", "_dialect", "_gone", "_head", "_last", "_out", "_receive", "_runtime",
        "_send", "_started", "_streamed_as", "first", "meta", "opened", "outcome", "status",
    )  # fmt: skip

    def __init__(
        self, runtime: ProviderRuntime, dialect: Dialect, answer: Answer, meta: AnswerMetadata,
        choices: tuple[Choice, ...] | None, receive: Receive, send: Send, started: float,
    ) -> None:  # fmt: skip
        self._runtime, self._dialect, self._answer, self.meta = runtime, dialect, answer, meta
        self._choices, self._receive, self._send, self._started = choices, receive, send, started
        self._gone: asyncio.Task[None] | None = None
        self._alarm: Alarm | None = None
        self.opened, self.status, self._last = False, 200, -math.inf
        self.first: float | None = None  # wall seconds to the first event of a stream
        self._out, self._head = 0, b""
        self.outcome: Outcome = "finished"

    async def deliver(self) -> None:
        """In one piece when it is complete, or token by token, as the question wants it."""
        try:
            if not self.meta.question.stream:
                if self._answer.state != "done":
                    await self._until("waiting", "running")
                body = await self._with_faults(self._dialect.whole(self.meta, self._content()))
                if body is not None:
                    self.opened = True
                    await self._runtime.writer.respond(self._send, self.status, self._plain_headers(), body)
                return
            await self._until("waiting")
            stream = self._dialect.stream(self.meta, self._content())
            self._streamed_as = (b"content-type", stream.media_type)
            await self._stream_tokens(stream)
            await self._send({"type": "http.response.body", "body": b""})
        except ClientLeftError:
            return

    def _content(self) -> tuple[Choice, ...]:
        answer, choices = self._answer, self._choices
        if choices is not None:
            return choices
        return prose(self._runtime.name, answer.mark, answer.tokens, cut_short=answer.cut_short)

    def _count_fault(self, fault: str) -> None:
        self.outcome = "flawed"
        self._runtime.felt(fault)

    def _cut(self, how: Literal["reset", "closed"] = "reset") -> CutOffError:
        """Give the slot up; the caller raises the result, which ends the connection."""
        self.outcome = "flawed"
        self._runtime.leave(self._answer)
        return CutOffError(how)

    # -- waiting -------------------------------------------------------------------------------------------------

    def _alarm_clock(self) -> Alarm:
        """The alarm that ends a sleep when the answer's state changes or the client goes."""
        if self._alarm is None:
            self._answer.owner = self._alarm = Alarm(self._runtime.ticker)
            self._gone = asyncio.create_task(_gone(self._receive))
            self._gone.add_done_callback(self._alarm.wake)
        return self._alarm

    async def _pause(self, seconds: float | None) -> None:
        """Sleep for so many wall seconds (None: no limit), or until the answer's state changes."""
        await self._alarm_clock().sleep(seconds)
        self._still_there()

    def _still_there(self) -> None:
        if self._gone is not None and self._gone.done():
            self.outcome = "abandoned"
            self._runtime.leave(self._answer)
            raise ClientLeftError

    async def _until(self, *states: str) -> None:
        while self._answer.state in states:
            await self._pause(None)
        if self._answer.state in REFUSED_LATE:
            raise self._dialect.refusal(REFUSED_LATE[self._answer.state], self._runtime.chatbot.provider.retry_after)
        if self._answer.state == "lost":
            raise self._cut()

    def _plain_headers(self) -> list[Header]:
        return [JSON, *self._headers()]

    def _stream_headers(self) -> list[Header]:
        return [self._streamed_as, _NO_CACHE, *self._headers()]

    def _headers(self) -> list[Header]:
        millis = round((time.perf_counter() - self._started) * 1000)
        return self._dialect.headers(self.meta.mark, millis, self._answer.allowances, self._runtime.clock.speed)

    async def _stall(self, seconds: float | None, keepalive: bytes | None) -> None:
        clock = self._runtime.clock
        ends = math.inf if seconds is None else time.monotonic() + clock.wall(seconds)
        beat = max(BETWEEN_WRITES, clock.wall(KEEPALIVE)) if keepalive else math.inf
        while (left := ends - time.monotonic()) > 0:
            if keepalive:
                await self._write(keepalive)
            wait = min(left, beat)
            await self._pause(None if wait == math.inf else wait)

    # -- a plain answer ------------------------------------------------------------------------------------------

    async def _with_faults(self, body: bytes) -> bytes | None:
        """The body as the faults leave it; None when a cut has ended the answer."""
        dialect = self._dialect
        if not self._answer.stream_faults:
            return body
        malformed = False
        for step in script(self._answer):
            if step.fault is not None:
                self._count_fault(step.fault)
            match step.then:
                case Silence(seconds=seconds):
                    await self._stall(seconds, None)
                case End(outcome="reset" | "closed" | "truncated" as how):
                    await self._send_half(body, clean=how == "truncated")
                    if how != "truncated":
                        raise self._cut(how)
                    return None
                case End(outcome="error_event", code=code):
                    raise ProviderError(status_within(dialect), code)
                case Garbled():
                    malformed = True
                case End(outcome="blank"):
                    body = dialect.whole(self.meta, blank(self._content()))
        return body[: len(body) // 2] if malformed else body

    async def _send_half(self, body: bytes, *, clean: bool) -> None:
        """`clean`: without a length, so that the end is a proper one."""
        self.opened, headers = True, self._plain_headers()
        if not clean:
            headers.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": not clean})

    # -- a stream ------------------------------------------------------------------------------------------------

    async def _write(self, event: bytes) -> None:
        if not self.opened:
            self.opened, self.first = True, time.perf_counter() - self._started
            await self._send({"type": "http.response.start", "status": self.status, "headers": self._stream_headers()})
        self._last = time.monotonic()
        await self._send({"type": "http.response.body", "body": event, "more_body": True})

    async def _stream_tokens(self, stream: Stream) -> None:
        dialect = self._dialect
        self._head = stream.opening()
        for step in script(self._answer):
            await self._send_tokens(stream, step.upto, last=step.fault is None)
            if step.fault is not None:
                self._count_fault(step.fault)
            match step.then:
                case Silence(seconds, keepalive):
                    await self._stall(seconds, dialect.keepalive if keepalive else None)
                case End(outcome="reset" | "closed" as how):
                    raise self._cut(how)
                case End(outcome="truncated"):
                    await self._write(b"")
                case End(outcome="error_event", code=code, shape=shape):
                    await self._write(self._opening() + stream.error(code, shape))
                case Garbled():
                    await self._write(self._opening() + dialect.malformed)
                case End(outcome="blank", not_before=token):
                    while (due := self._due())[0] < token:
                        await self._pause(due[1])
                    await self._write(self._opening() + stream.closing())

    def _opening(self) -> bytes:
        head, self._head = self._head, b""
        return head

    async def _send_tokens(self, stream: Stream, upto: int, *, last: bool) -> None:
        """Send the tokens up to this one, each when it is due; `last`: and the stream's regular end."""
        if last and self._out >= upto:
            await self._write(self._opening() + stream.closing())
        alarm = self._alarm_clock()
        while self._out < upto:
            due, wait = self._due()
            early = self._last + BETWEEN_WRITES - time.monotonic()
            # Everything due goes into one event: several tokens at high speed, or after a late wake-up.
            if due > self._out and early <= 0:
                due = min(due, upto)
                event = stream.tokens(self._out, due)
                self._out = due
                if last and due == upto:
                    event += stream.closing()
                if event:  # else thoughts that no client sees
                    await self._write(self._opening() + event)
                    early = BETWEEN_WRITES
            if self._out < upto:
                await alarm.sleep(max(wait, early))
                self._still_there()

    def _due(self) -> tuple[int, float]:
        """How many tokens are due by now, and the wall seconds until the next one is."""
        answer, runtime = self._answer, self._runtime
        if answer.state != "running":
            if answer.state == "lost":
                raise self._cut()
            return answer.tokens, 0.0
        capacity, pace = runtime.chatbot.capacity, answer.pace
        progress = capacity.progress(answer, runtime.now())
        due = pace.due(progress)
        return due, (pace.at(due + 1) - progress) / capacity.speed / runtime.clock.speed


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
