"""Both servers of interception inside the test's process, on the product's loop, and services of a few bytes."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.process.event_loop import new_event_loop

T = TypeVar("T")
HOSTS = ("api.openai.com", "*.openai.azure.com", "10.1.2.3")
OPENAI = "api.openai.com"


class Loop:
    """A loop in a thread; `call` runs a coroutine in it."""

    def __init__(self) -> None:
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def call(self, coroutine: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await coroutine

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(20)

    def tasks(self) -> int:
        return len(asyncio.all_tasks(self.loop))

    def close(self) -> None:
        self.call(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def running_loop() -> Iterator[Loop]:
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()


@contextmanager
def server(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Calls `handle` with each connection, in a thread of its own; yields the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                handle(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def echo(connection: socket.socket) -> None:
    """Everything back, until the end of what comes."""
    while data := connection.recv(65536):
        connection.sendall(data)


def cut(connection: socket.socket) -> None:
    """A reset, once something has come."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say_goodbye(connection: socket.socket) -> None:
    """A few bytes and an end in order, once something has come."""
    connection.recv(1)
    connection.sendall(b"bye")


def trusting(authority: CertificateAuthority) -> ssl.SSLContext:
    """A client's context that trusts this CA and no other, as strictly as Python 3.13 does."""
    context = ssl.create_default_context(cadata=authority.certificate_pem.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def tunnel(port: int, target: str) -> socket.socket:
    """A connection on which the proxy has answered 200."""
    sock = connected(port)
    sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        if not (more := sock.recv(1)):
            break
        answer += more
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return sock


def everything(sock: socket.socket) -> bytes:
    """All bytes until the end."""
    found = b""
    while data := sock.recv(65536):
        found += data
    return found


def descriptors() -> int:
    """How many this process has open."""
    return len([*Path("/dev/fd").iterdir()])
