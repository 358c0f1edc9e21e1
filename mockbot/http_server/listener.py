"""One port: an ASGI application in, a uvicorn server out that can go down and come back as a crashed process does.

Its connections come from a port of its own, or from a process that accepts them for several (`balancer.py`). While it
is down, existing connections have been reset and new ones are refused. The port stays reserved: a second socket is
bound to it and never listens.
"""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Literal

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.utils import get_remote_addr

from mockbot.errors import TestbedError
from mockbot.http_server.no_upgrade import NoUpgradeProtocol

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s: close() sends RST instead of FIN (socket(7))
_BACKLOG = 2048
_KEEP_ALIVE = 75  # wall seconds, nginx's default
_SLOWEST = 60.0  # wall seconds that a request's headers, or a pause within its body, may take (nginx: 60 s each)
_SWEEP = 5.0  # wall seconds between two looks at the open requests


def bound(host: str, port: int = 0) -> socket.socket:
    """A socket bound to the address; SO_REUSEPORT lets another one of ours share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    return sock


def _must_be_free(host: str, port: int) -> None:
    """TestbedError when another process listens there: with SO_REUSEPORT our own bind would not fail."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise TestbedError(f"{host}:{port} cannot be listened on: {error.strerror}; choose other ports") from None


def held(host: str, port: int = 0) -> socket.socket:
    """A socket that never listens and reserves its port. Raises TestbedError when another process listens there."""
    if port:
        _must_be_free(host, port)
    return bound(host, port)


def base_url(host: str, port: int) -> str:
    """An address that means every interface is written as loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}"


class Connections:
    """An application and its connections, wherever these come from."""

    def __init__(self, app: ASGIApp, slowest: float = _SLOWEST) -> None:
        config = uvicorn.Config(
            app, interface="asgi3", loop="none", http=NoUpgradeProtocol, ws="none", lifespan="off", log_config=None,
            access_log=False, proxy_headers=False, server_header=False, timeout_keep_alive=_KEEP_ALIVE,
            backlog=_BACKLOG,
        )  # fmt: skip
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._server.servers = []
        self._tasks: list[asyncio.Task[None]] = []
        self._slow = slowest

    async def up(self) -> None:
        """Take connections."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._server.main_loop()),
                asyncio.create_task(self._drop_slow_requests()),
            ]

    async def _drop_slow_requests(self) -> None:
        """Drop connections that have been sending one request for too long (slow loris); uvicorn's own timeout covers
        idle connections only.
        """
        last: dict[object, tuple[object, float]] = {}  # connection -> its progress, and since when
        while True:
            await asyncio.sleep(min(_SWEEP, self._slow / 4))
            now, reading = asyncio.get_running_loop().time(), dict[object, tuple[object, float]]()
            for connection in self._server.server_state.connections:
                progress = _unfinished(connection)
                if progress is None:
                    continue
                before = last.get(connection)
                since = before[1] if before is not None and before[0] == progress else now
                reading[connection] = (progress, since)
                if now - since >= self._slow:
                    connection.transport.abort()
            last = reading

    def down(self) -> int:
        """Reset every connection; returns how many there were."""
        connections = list(self._server.server_state.connections)
        for connection in connections:
            _reset(connection.transport)
        return len(connections)

    async def close(self) -> None:
        """Go down for good."""
        self.down()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang_up(self, scope: Scope, how: Literal["reset", "closed"]) -> None:
        """End the connection that a request came in on: by RST, or by FIN once everything is sent."""
        for connection in self._server.server_state.connections:
            if get_remote_addr(connection.transport) == scope["client"]:
                if how == "reset":
                    _reset(connection.transport)
                else:
                    connection.transport.close()
                return


class Listener(Connections):
    """An application on a port of its own."""

    def __init__(self, app: ASGIApp, host: str, port: int = 0, slowest: float = _SLOWEST) -> None:
        super().__init__(app, slowest)
        self._host, self._holder = host, held(host, port)
        self.port: int = self._holder.getsockname()[1]

    @property
    def url(self) -> str:
        """Base URL."""
        return base_url(self._host, self.port)

    async def up(self) -> None:
        """Listen."""
        if not self._server.servers:
            await self._server.startup(sockets=[bound(self._host, self.port)])
        await super().up()

    def down(self) -> int:
        """Stop listening and reset every connection; returns how many there were."""
        for server in self._server.servers:
            server.close()
        self._server.servers = []
        return super().down()

    async def close(self) -> None:
        """Go down for good, and release the port."""
        await super().close()
        self._holder.close()


class HandedConnections(Connections):
    """An application on the connections that another process accepts and hands over (`balancer`), by this channel.

    `failed` is told of a connection that was lost because this process had no descriptor for it.
    """

    def __init__(self, app: ASGIApp, channel: socket.socket, failed: Callable[[OSError], None]) -> None:
        super().__init__(app)
        self._channel, self._is_up, self._opening = channel, False, set[asyncio.Task[object]]()
        self._failed = failed
        channel.setblocking(False)

    async def up(self) -> None:
        """Take connections; those that were handed over while it was down have been reset."""
        if not self._tasks:
            asyncio.get_running_loop().add_reader(self._channel.fileno(), self._take)
        self._is_up = True
        await super().up()

    def down(self) -> int:
        """Reset every connection, and those to come."""
        self._is_up = False
        return super().down()

    async def close(self) -> None:
        """Go down for good."""
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        await super().close()
        self._channel.close()

    def _take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                message, descriptors, *_ = socket.recv_fds(self._channel, 1, 1)
            except BlockingIOError:
                return
            if not message:  # the other process has ended
                loop.remove_reader(self._channel.fileno())
                return
            if not descriptors:  # Linux hands over the message all the same (unix(7), MSG_CTRUNC)
                self._failed(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
            for descriptor in descriptors:
                sock = socket.socket(fileno=descriptor)
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._is_up:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    sock.close()
                    continue
                task = loop.create_task(loop.connect_accepted_socket(self._protocol, sock))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    def _protocol(self) -> NoUpgradeProtocol:
        """As uvicorn's own `Server.startup` makes one for each connection."""
        server = self._server
        return NoUpgradeProtocol(server.config, server.server_state, server.lifespan.state)


def _unfinished(connection: Any) -> object:
    """Progress of the request that this connection is still sending; None when it sends none.

    Unfinished headers are one state however many bytes of them came. Both of uvicorn's HTTP protocols have these names.
    """
    cycle = connection.cycle
    if cycle is None or (cycle.response_complete and connection.timeout_keep_alive_task is None):
        return "headers"
    return (id(cycle), len(cycle.body)) if not cycle.response_complete and cycle.more_body else None


def _reset(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
