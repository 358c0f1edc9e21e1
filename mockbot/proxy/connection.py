"""One client connection: two sockets, two links. Bytes in from either side, bytes out at the other.

    client  <--side-->  [ link upstream   ]  <--side-->  server
                        [ link downstream ]

The server is dialled first (Toxiproxy accepts and dials before it reads). Bytes that arrive before both sides are
attached are kept. When a side is lost, the link that reads from it ends and the link that writes to it stops.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Protocol, cast

from mockbot.proxy.link import Link, Traffic
from mockbot.proxy.timers import LoopTimers
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics.reset_peer import ResetPeer

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST and drops what was not delivered


class ConnectionOwner(Protocol):
    """What a connection needs of its proxy."""

    def stream(self, number: int, direction: Direction, toxic: str) -> Random: ...

    def felt(self, toxic: str) -> None: ...

    def gone(self, connection: "Connection") -> None: ...


class Side(asyncio.Protocol):
    """One socket of a connection: what it reads goes to `outgoing`, what it writes comes from `incoming`."""

    __slots__ = ("_connection", "_early", "_ended", "_paused", "_torn", "incoming", "lost", "outgoing", "transport")

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._early: list[bytes] | None = []
        self._ended = self._paused = self._torn = False
        self.lost = False
        self.transport: asyncio.Transport
        self.outgoing: Link
        self.incoming: Link

    # -- asyncio's calls (asyncio.Protocol)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._early is None:
            self.outgoing.receive(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self._early is None:
            self.outgoing.source_ended()
        return True  # the EOF goes through the chain first; the default would close and drop what is on its way

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = self._ended = True
        self._torn = isinstance(error, ConnectionResetError)
        if self._early is None:
            self.outgoing.source_ended(reset=self._torn)
            self.incoming.stop()
            self._connection.side_lost()

    def pause_writing(self) -> None:
        if self._early is None:
            self._paused = True
            self.incoming.destination_full(True)

    def resume_writing(self) -> None:
        if self._paused:
            self._paused = False
            self.incoming.destination_full(False)

    # -- the links' calls (link.End)

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        self.linger()
        self.abort()

    def linger(self) -> None:
        """From now on the end of this side is a reset."""
        sock = self.transport.get_extra_info("socket") if hasattr(self, "transport") else None
        if sock is not None and not self.lost:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def pause(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # -- the connection's calls

    def abort(self) -> None:
        if hasattr(self, "transport"):
            self.transport.abort()

    def open(self) -> None:
        """Both sides are attached: pass on what came early."""
        early, self._early = self._early or [], None
        for data in early:
            self.outgoing.receive(data)
        if self._ended:
            self.outgoing.source_ended(reset=self._torn)
        if self.lost:
            self.incoming.stop()
            self._connection.side_lost()


class Connection:
    """Number n of its proxy. `log` names the toxics that touched it, in the order of their first touch; `port` is the
    one that its server sees.
    """

    def __init__(self, number: int, owner: ConnectionOwner, timers: LoopTimers) -> None:
        self.number, self.timers = number, timers
        self.opened = time.time()
        self.log: list[str] = []
        self.port = 0
        self._owner = owner
        self._client, self._server = Side(self), Side(self)
        self.links: Mapping[Direction, Link] = {}

    async def attach(self, client: socket.socket, hosts: Sequence[str], port: int, dial_limit: float) -> None:
        """Dial the server, at the first host that answers, then take over the client's socket. OSError, TimeoutError:
        the server cannot be reached.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(dial_limit):
            for host in hosts:
                with suppress(*([] if host == hosts[-1] else [OSError])):
                    dialled, _ = await loop.create_connection(lambda: self._server, host, port)
                    break
        self.port = dialled.get_extra_info("sockname")[1]
        try:
            await loop.connect_accepted_socket(lambda: self._client, client)
        except BaseException:  # cancelled by a disable: neither socket may stay behind
            self._client.abort()
            self._server.abort()
            raise

    def start(self, chains: Mapping[Direction, Sequence[Toxic]], traffic: Mapping[Direction, Traffic]) -> None:
        """Let the bytes flow, through the chains as they are now."""
        client, server = self._client, self._server
        if any(isinstance(toxic.effect, ResetPeer) for chain in chains.values() for toxic in chain):
            client.linger()
            server.linger()
        up, down = Direction.UPSTREAM, Direction.DOWNSTREAM
        upstream = Link(up, chains[up], self, client, server, traffic[up])
        downstream = Link(down, chains[down], self, server, client, traffic[down])
        client.outgoing = server.incoming = upstream
        server.outgoing = client.incoming = downstream
        self.links = {up: upstream, down: downstream}
        client.open()
        server.open()

    def abort(self) -> None:
        """Close both sockets now, the client's by a reset (Toxiproxy: in order); what is in the chains is lost."""
        for link in self.links.values():
            link.stop()
        self._client.reset()
        self._server.abort()

    def side_lost(self) -> None:
        if self._client.lost and self._server.lost:
            self._owner.gone(self)

    # -- what the links share (link.Context)

    def stream(self, direction: Direction, toxic: str) -> Random:
        return self._owner.stream(self.number, direction, toxic)

    def touched(self, toxic: str) -> None:
        if toxic not in self.log:
            self.log.append(toxic)
            self._owner.felt(toxic)
