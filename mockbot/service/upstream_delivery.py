"""Deliver an answer that a real provider or a recording gives: chunks as they come, with the faults within it.

A chunk is sent when it has come, or when a slow provider would have sent it. While a fault is still to happen, the
answer is sent event by event, so that the fault acts after so many tokens. Faults within an answer need an answer: what
the upstream refuses passes as it is.
"""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.types import Receive, Send

from mockbot.dialects.dialect import AnswerMetadata, Dialect, Header, ProviderError
from mockbot.dialects.reading import count_tokens
from mockbot.faults.effects import End, Garbled, Silence
from mockbot.service.active_faults import Step
from mockbot.service.answer_content import prose
from mockbot.service.chatbot import Answer
from mockbot.service.delivery import ClientLeftError, CutOffError, Delivery
from mockbot.service.delivery_script import script
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.upstream.exchange import Asked, Exchange, NotGivenError, Source
from mockbot.upstream.stream_events import StreamEvents

_UNKNOWN_LENGTH = 1 << 30  # tokens
_REGULAR = Step(_UNKNOWN_LENGTH, None, End("ok"))
_DATE = frozenset({b"date"})  # headers that the server writes
_OURS = _DATE | {b"content-length"}


def _nothing() -> None:
    pass


class UpstreamDelivery(Delivery):
    """As Delivery. `known`: whether the request's path is one of the dialect's own."""

    __slots__ = ("_asked", "_exchange", "_known", "_loop", "_source")

    def __init__(
        self, runtime: ProviderRuntime, dialect: Dialect, answer: Answer, meta: AnswerMetadata, receive: Receive,
        send: Send, started: float, source: Source, asked: Asked, *, known: bool,
    ) -> None:  # fmt: skip
        super().__init__(runtime, dialect, answer, meta, None, receive, send, started)
        self._source, self._asked, self._known = source, asked, known
        self._loop, self._exchange = asyncio.get_running_loop(), Exchange(self._alarm_clock().wake)

    async def deliver(self) -> None:
        """Ask when there is a slot, then pass the answer on."""
        exchange = self._exchange
        try:
            await self._until("waiting")
            exchange.asked = time.monotonic()
            self._source.ask(self._asked, exchange)
            while not exchange.status and exchange.end is None:
                await self._more(None)
            if not exchange.status:
                raise self._without_answer()
            self.status = exchange.status
            streamed = b"stream" in dict(exchange.headers).get(b"content-type", b"")
            if exchange.end == "left":  # a recorded client left, perhaps as soon as the answer said that it is whole
                reader = self._dialect.reader(streamed)
                for _, chunk in exchange.chunks:
                    reader.part(chunk, 0.0)
                exchange.end = "ok" if reader.outcome == "ok" else "closed"
            if not self._answer.stream_faults or not 200 <= self.status < 300:
                await self._pass_on()
            elif streamed:
                await self._stream()
            else:
                await self._whole()
        except NotGivenError as error:
            self._runtime.asked_for(error.kind, error.name)
            raise
        except ClientLeftError:
            return
        finally:
            exchange.cancel()
            self._runtime.finish(self._answer)

    def _without_answer(self) -> ProviderError | CutOffError:
        exchange = self._exchange
        if exchange.end == "failed":
            self._runtime.asked_for("upstream", exchange.failed)
            return ProviderError(502, message=f"mockbot could not ask the upstream: {exchange.failed}")
        return self._cut("closed" if exchange.end == "closed" else "reset")

    # -- time ----------------------------------------------------------------------------------------------------

    async def _more(self, seconds: float | None) -> None:
        """Wait until more has come, or for so many wall seconds; exactly so many, and not to the ticker's grid."""
        timer = None if seconds is None else self._loop.call_later(seconds, self._alarm_clock().wake)
        try:
            await self._pause(None)
        finally:
            if timer is not None:
                timer.cancel()
        if self._answer.state == "lost":
            raise self._cut()

    def _early(self, came: float) -> float:
        """Wall seconds until what came after so many seconds is to be sent; a fault may make the provider slow."""
        pace = self._answer.pace
        due = came * self._source.scale * pace.per_token + self._runtime.clock.wall(pace.first)
        return self._exchange.asked + due - time.monotonic()

    async def _stall(self, seconds: float | None, keepalive: bytes | None) -> None:
        self._exchange.wake = _nothing  # what comes meanwhile ends no sleep
        await super()._stall(seconds, keepalive)
        self._exchange.wake = self._alarm_clock().wake

    async def _chunks(self) -> AsyncIterator[bytes]:
        """What has come, each chunk when it is due, until the answer ends in order, else CutOffError."""
        exchange = self._exchange
        while exchange.chunks or exchange.end is None:
            if not exchange.chunks:
                await self._more(None)
            elif (early := self._early(exchange.chunks[0][0])) > 0:
                await self._more(early)
            else:
                yield exchange.take()[1]
        if exchange.end != "ok":
            raise self._cut("reset" if exchange.end == "reset" else "closed")

    # -- the answer ----------------------------------------------------------------------------------------------

    def _plain_headers(self) -> list[Header]:
        return [each for each in self._exchange.headers if each[0] not in _OURS]

    def _stream_headers(self) -> list[Header]:
        altered = _OURS if self._answer.stream_faults else _DATE
        return [each for each in self._exchange.headers if each[0] not in altered]

    async def _pass_on(self) -> None:
        exchange = self._exchange
        sized = any(name == b"content-length" for name, _ in exchange.headers)
        if sized and exchange.end == "ok" and exchange.chunks and self._early(exchange.chunks[-1][0]) <= 0:
            self.opened, body = True, b"".join([exchange.take()[1] for _ in range(len(exchange.chunks))])
            await self._runtime.writer.respond(self._send, self.status, self._plain_headers(), body)
            return
        while (early := self._early(exchange.came)) > 0:
            await self._more(early)
        await self._write(b"")  # the head, which may come long before the first chunk
        async for chunk in self._chunks():
            await self._write(chunk)
        await self._send({"type": "http.response.body", "body": b""})

    async def _whole(self) -> None:
        """A plain answer with faults in it."""
        body = b"".join([chunk async for chunk in self._chunks()])
        reader = self._dialect.reader(False)
        reader.part(body, 0.0)
        text = reader.text if self._known and reader.outcome == "ok" else ""
        self._answer.tokens = count_tokens(len(text or body))
        left = await self._with_faults(body)
        if left is not None:
            self.opened = True
            await self._runtime.writer.respond(self._send, self.status, self._plain_headers(), left)

    async def _stream(self) -> None:
        """A stream with faults in it, event by event."""
        self._answer.tokens = _UNKNOWN_LENGTH
        steps, without_text = script(self._answer), False
        step = next(steps)
        async for event, is_token in self._events():
            self._out += is_token
            if event and not (without_text and is_token):
                await self._write(event)
            while step.upto <= self._out:
                self._count_fault(step.fault or "")
                if await self._ended_by(step.then):
                    await self._send({"type": "http.response.body", "body": b""})
                    return
                without_text |= isinstance(step.then, End)
                step = next(steps, _REGULAR)
        await self._write(b"")
        await self._send({"type": "http.response.body", "body": b""})

    async def _events(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Whole events, each with whether it is a token of the answer; first nothing, before which no fault acts."""
        yield b"", False
        events = StreamEvents(self._dialect.reader(True) if self._known else None)
        async for chunk in self._chunks():
            for each in events.feed(chunk):
                yield each
        if rest := events.rest():
            yield rest, False

    async def _ended_by(self, then: Silence | Garbled | End) -> bool:
        """Do what a fault does now; whether it has ended the answer."""
        dialect = self._dialect
        match then:
            case Silence(seconds, keepalive):
                await self._stall(seconds, dialect.keepalive if keepalive else None)
            case Garbled():
                await self._write(dialect.malformed)
            case End(outcome="reset" | "closed" as how):
                raise self._cut(how)
            case End(outcome="truncated"):
                await self._write(b"")
                return True
            case End(outcome="error_event", code=code, shape=shape):
                one = prose(self._runtime.name, self.meta.mark, 1, cut_short=False)  # only the error is taken of it
                await self._write(dialect.stream(self.meta, one).error(code, shape))
                return True
        return False
