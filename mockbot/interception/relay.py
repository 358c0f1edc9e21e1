"""Two sockets in, each one's bytes and its end out at the other: nothing is read, changed or kept.

    client  <-- End --peer-- End -->  server

How one side ends the other one ends: EOF as EOF (a half close where that side can), a reset as a reset. A side whose
destination takes no bytes is not read, so the sender feels it as TCP's own back-pressure.
"""

import asyncio
import socket
import struct
from typing import cast

FULL = 16 * 1024  # bytes that wait for a destination before its source is not read any more
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST (socket(7))


def reset(transport: asyncio.Transport) -> None:
    """End a connection by RST."""
    if not transport.is_closing():
        reset_when_closed(transport.get_extra_info("socket"))
    transport.abort()


def reset_when_closed(sock: socket.socket) -> None:
    """The end of this socket will be a RST, not a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


class End(asyncio.Protocol):
    """One side of a relay, in `living` while it is connected. It is not read before `join` gives it its peer."""

    transport: asyncio.Transport

    def __init__(self, living: "set[End]") -> None:
        self._living = living
        self.peer: End | None = None
        self._ended = False  # it has sent everything
        self._lost: Exception | bool = False  # True: in order

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._living.add(self)
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=FULL)
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """False closes this side, and with it the peer: both have ended, or one is TLS, which has no half close."""
        self._ended = True
        if self.peer is None or self.peer._ended or self.peer.transport.is_closing():
            return False
        if not (self.transport.can_write_eof() and self.peer.transport.can_write_eof()):
            return False
        self.peer.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._living.discard(self)
        self._lost = error or True
        if self.peer is not None:
            self.peer.end_as(self._lost)

    def end_as(self, lost: Exception | bool) -> None:
        """End this side as the other one was lost."""
        if isinstance(lost, ConnectionError):
            reset(self.transport)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()


def join(one: End, other: End) -> None:
    """Let bytes flow between two connected sides."""
    one.peer, other.peer = other, one
    for side, far in ((one, other), (other, one)):
        if side._lost:  # before it had a peer
            far.end_as(side._lost)
    for side in (one, other):
        if not side.transport.is_closing():
            side.transport.resume_reading()
