"""A raw HTTP server on loopback that answers each request as its script says, and notes when each one came.

In: one Answer per request, the last one for ever. It speaks just enough HTTP/1.1 to break it on purpose.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets. `then` is done after what is written: an orderly end, a reset, or silence."""

    status: int | None = None  # None: not a byte
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"
    then: Literal["close", "reset", "hang"] = "close"

    def to_bytes(self) -> bytes:
        """The answer on the wire; a body that is cut promises more than it has."""
        if self.status is None:
            return b""
        length = len(self.body) + (0 if self.then == "close" else 1000)
        lines = [f"HTTP/1.1 {self.status} Scripted", f"content-length: {length}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass
class Scripted:
    """The running server: where it listens, and when each request came (monotonic seconds)."""

    url: str
    came: list[float] = field(default_factory=list)


@contextmanager
def scripted(script: Sequence[Answer]) -> Iterator[Scripted]:
    """Serve the script until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")
        over = threading.Event()
        worker = threading.Thread(target=_serve, args=(listener, server, script, over))
        worker.start()
        try:
            yield server
        finally:
            over.set()
            with socket.create_connection(listener.getsockname()):
                worker.join()


def _serve(listener: socket.socket, server: Scripted, script: Sequence[Answer], over: threading.Event) -> None:
    held: list[socket.socket] = []
    while True:
        connection, _ = listener.accept()
        if over.is_set():
            break
        if not _read_request(connection):  # a spare connection of a pool, closed unused
            connection.close()
            continue
        answer = script[min(len(server.came), len(script) - 1)]
        server.came.append(time.monotonic())
        connection.sendall(answer.to_bytes())
        if answer.then == "hang":
            held.append(connection)
            continue
        if answer.then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    for waiting in (connection, *held):
        waiting.close()


def _read_request(connection: socket.socket) -> bool:
    """All of it, so that closing afterwards is orderly and not a reset; False: closed without a request."""
    request = b""
    while b"\r\n\r\n" not in request:
        got = connection.recv(65536)
        if not got:
            return False
        request += got
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return True
