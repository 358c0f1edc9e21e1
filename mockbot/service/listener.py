"""One port: a bound socket with a uvicorn server on it that can die and come back, as a crashed process does.

While it is down the port stays ours (a second socket is bound to it, which does not listen), every existing
connection has been reset, and new ones are refused.
"""

import asyncio
import contextlib
import socket
import struct

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.utils import get_remote_addr

from mockbot.errors import TestbedError

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s: close() sends RST instead of FIN (socket(7))
_BACKLOG = 2048
_KEEP_ALIVE = 75  # wall seconds, nginx's default


def bound(host: str, port: int = 0) -> socket.socket:
    """A socket bound to the address, which others may share that say so too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    return sock


def _must_be_free(host: str, port: int) -> None:
    """TestbedError when somebody has the port already, who may share it as we do."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise TestbedError(f"{host}:{port} cannot be listened on: {error.strerror}; choose other ports") from None


class Listener:
    """An application on a port of its own."""

    def __init__(self, app: ASGIApp, host: str, port: int = 0) -> None:
        self._host = host
        if port:
            _must_be_free(host, port)
        self._holder = bound(host, port)
        self.port: int = self._holder.getsockname()[1]
        config = uvicorn.Config(
            app,
            interface="asgi3",
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            backlog=_BACKLOG,
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._server.servers = []
        self._ticks: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)  # noqa: S104 - told apart, not bound
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    async def up(self) -> None:
        """Listen."""
        if not self._server.servers:
            await self._server.startup(sockets=[bound(self._host, self.port)])
        if self._ticks is None:
            self._ticks = asyncio.create_task(self._server.main_loop())

    def down(self) -> int:
        """Stop listening and reset every connection; how many there were."""
        for server in self._server.servers:
            server.close()
        self._server.servers = []
        connections = list(self._server.server_state.connections)
        for connection in connections:
            _reset(connection.transport)
        return len(connections)

    async def close(self) -> None:
        """Be gone: port and connections."""
        self.down()
        if self._ticks is not None:
            self._ticks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticks
        self._holder.close()

    def reset(self, scope: Scope) -> None:
        """Reset the connection that a request came in on."""
        for connection in self._server.server_state.connections:
            if get_remote_addr(connection.transport) == scope["client"]:
                _reset(connection.transport)
                return


def _reset(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
