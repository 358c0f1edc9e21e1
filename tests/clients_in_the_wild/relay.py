"""A relay between a client and a service that keeps what the client sends: for each request its head, its body, its
connection and when it came. One connection to the service for each of the client's.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it came. `at`: seconds since the relay began; `connection`: 0 for the first."""

    at: float
    connection: int
    path: str
    headers: dict[str, str]
    body: str


class Relay:
    """`url` is its own; `sent` what came so far."""

    def __init__(self, service: str) -> None:
        parts = urlsplit(service)
        self._service = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent: list[Sent] = []
        self._began = time.monotonic()

    def _accept(self) -> None:
        connection = 0
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            service = socket.create_connection(self._service)
            threading.Thread(target=self._requests, args=(client, service, connection), daemon=True).start()
            threading.Thread(target=_pass, args=(service, client), daemon=True).start()
            connection += 1

    def _requests(self, client: socket.socket, service: socket.socket, connection: int) -> None:
        pending = b""
        while data := client.recv(65536):
            if not pending:
                at = time.monotonic() - self._began
            pending += data
            head, end, rest = pending.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            size = int(headers.get("content-length", 0))  # none of the clients sends its body in chunks
            if end and len(rest) >= size:
                body, pending = rest[:size].decode(), rest[size:]
                self.sent.append(Sent(at, connection, lines[0].split()[1], headers, body))
            service.sendall(data)
        service.shutdown(socket.SHUT_WR)


def _pass(service: socket.socket, client: socket.socket) -> None:
    try:
        while data := service.recv(65536):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def relay(service: str) -> Iterator[Relay]:
    """A relay to the service at this base URL, until the block ends."""
    made = Relay(service)
    thread = threading.Thread(target=made._accept, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made._listener.close()
