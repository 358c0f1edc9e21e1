"""Whole responses: status, headers and body in; one write per connection out, at the end of the event loop's turn.

ASGI takes two messages for a response; uvicorn checks each header and writes head and body separately. Each write is a
system call that wakes the client, which on a busy machine takes the core in the middle of the turn. That costs more
than deciding about a short answer. Headers here contain no client input, so when `send` is uvicorn's own, head and body
are joined and written once, in order, when the turn ends. Any other `send` (the request recorder's) gets two messages.
"""

import asyncio

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


class ResponseWriter:
    """The responses that one event loop writes at the end of its turn."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    async def respond(self, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """A whole response; neither names nor values of `headers` may come from a client."""
        headers.append((b"content-length", b"%d" % len(body)))
        cycle = getattr(send, "__self__", None)
        # Only for a connection that is kept alive, whose client is there and reads, and to which nothing was sent yet.
        if (
            type(cycle) is not RequestResponseCycle
            or not cycle.keep_alive
            or (cycle.response_started or cycle.disconnected or cycle.flow.write_paused)
        ):
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        # From here on: what RequestResponseCycle.send does with both messages.
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
