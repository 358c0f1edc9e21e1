"""Whole responses: status, headers and body in; one write a connection out, at the end of the event loop's turn.

ASGI wants two messages for a response, which uvicorn checks header by header and writes apart. Every write is a system
call that wakes the client up, which on a busy machine then takes the core away in the middle of the turn: together
more than deciding about a short answer costs. What goes out here is made of our own names and figures, so where
uvicorn's own sender is at the other end, head and body go out together, after those that were written earlier in the
same turn; anything else (a Watch, another server) gets the two messages.
"""

import asyncio

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mockbot.service.dialects.base import Header


class Outbox:
    """What one event loop will have written when its turn is over."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    async def respond(self, send: Send, status: int, headers: list[Header], body: bytes) -> None:
        """A whole response; neither names nor values of `headers` may come from a client."""
        headers.append((b"content-length", b"%d" % len(body)))
        cycle = getattr(send, "__self__", None)
        if type(cycle) is RequestResponseCycle and _is_plain(cycle):
            self._write(cycle, status, headers, body)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _write(self, cycle: RequestResponseCycle, status: int, headers: list[Header], body: bytes) -> None:
        """What RequestResponseCycle.send does with the two messages of a response that the connection outlives."""
        lines = b"\r\n".join([b": ".join(line) for line in cycle.default_headers + headers])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append((cycle.transport, b"%b%b\r\n\r\n%b" % (STATUS_LINE[status], lines, body)))
        cycle.message_event.set()
        cycle.on_response()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)


def _is_plain(cycle: RequestResponseCycle) -> bool:
    """Nothing is sent yet, and nothing asks for another way of sending."""
    return not (cycle.response_started or cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive)
