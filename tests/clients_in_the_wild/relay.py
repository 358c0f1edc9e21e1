"""A relay between a client and a service that keeps each request that the client sends, with its connection.

There is one connection to the service for each of the client's.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it came. `connection`: 0 for the first."""

    connection: int
    path: str
    headers: dict[str, str]
    body: str


class Relay(ThreadingTCPServer):
    """`url` is its own; `sent` what came so far."""

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        parts = urlsplit(service)
        self.service = (parts.hostname or "", parts.port or 80)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.sent: list[Sent] = []
        self.connections = count()


class _Connection(BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        connection, pending = next(self.server.connections), b""
        with socket.create_connection(self.server.service) as service:
            answers = threading.Thread(target=_pass, args=(service, self.request))
            answers.start()
            while data := self.request.recv(65536):
                pending += data
                if (sent := _whole(pending, connection)) is not None:
                    self.server.sent.append(sent)
                    pending = b""
                service.sendall(data)
            service.shutdown(socket.SHUT_WR)
            answers.join()


def _whole(data: bytes, connection: int) -> Sent | None:
    """A request once its last byte is there. None of the clients sends its body in chunks, or before an answer."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if not end or len(body) < int(headers.get("content-length", 0)):
        return None
    return Sent(connection, lines[0].split()[1], headers, body.decode())


def _pass(service: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client may have gone
        while data := service.recv(65536):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)


@contextmanager
def relay(service: str) -> Iterator[Relay]:
    """A relay to the service at this base URL, until the block ends."""
    with Relay(service) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()
