"""An ASGI application on a listening socket; a request that does not arrive whole within its deadline is cut off.

uvicorn has a timeout for idle connections only. This server runs in the caller's event loop and writes no headers of
its own. It takes two request lines that h11 does not: with a whole URL (RFC 9112, 3.2.2), and with bytes in the path
that ought to be escaped.
"""

import asyncio
import re
import socket
from urllib.parse import quote

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_ORIGIN = re.compile(rb"^([A-Za-z]+ )[A-Za-z][A-Za-z0-9+.-]*://[^/?# ]*/?")
_KEPT = "\r" + bytes(range(0x20, 0x7F)).decode()
_LONGEST_LINE = 64 * 1024  # bytes; h11 refuses what is longer


class DeadlineServer:
    """`read_limit` and `idle_limit` in wall seconds: for one whole request, and between two of a connection."""

    def __init__(self, app: ASGIApp, read_limit: float, idle_limit: int) -> None:
        self._config = uvicorn.Config(
            app, lifespan="off", ws="none", access_log=False, log_config=None, timeout_keep_alive=idle_limit
        )
        self._config.load()
        self._protocol = type("Limited", (_DeadlineProtocol,), {"read_limit": read_limit})
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Accept connections on a listening socket, which `close` closes."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: self._protocol(config=self._config, server_state=self._state, app_state={}), sock=sock
        )

    async def close(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.sleep(0.01)  # sockets are closed in the loop's next rounds


class _DeadlineProtocol(H11Protocol):
    read_limit: float
    _deadline: asyncio.TimerHandle | None = None
    _line = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.read_limit, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            line, end, rest = (self._line + data).partition(b"\n")
            self._line, data = (b"", _plain(line) + end + rest) if end or len(line) > _LONGEST_LINE else (line, b"")
        if data:
            super().data_received(data)
        unfinished = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        if not unfinished:
            self._disarm()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.read_limit, self.transport.abort)

    def on_response_complete(self) -> None:
        self._disarm()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _plain(line: bytes) -> bytes:
    """A request line with the path alone, and all of it in ASCII."""
    return line if line.isascii() and b"://" not in line else quote(_ORIGIN.sub(rb"\1/", line), safe=_KEPT).encode()
