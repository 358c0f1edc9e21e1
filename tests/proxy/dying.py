"""The workload that deadlocks Toxiproxy 2.12.0: clients that die in the middle of large answers."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.proxy.wire import Control, Upstream


def large_answers(conn: socket.socket, seen: list[str]) -> None:
    """Half a megabyte for every request."""
    while conn.recv(65536):
        conn.sendall(b"y" * 500_000)


def die(address: str, done: threading.Event) -> None:
    """Ask twice, read a little, leave with a reset; again and again."""
    host, _, port = address.rpartition(":")
    while not done.is_set():
        try:
            with socket.create_connection((host, int(port)), timeout=2) as sock:
                sock.sendall(b"a")
                sock.sendall(b"b")
                done.wait(0.03)
                sock.recv(1000)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            done.wait(0.01)


@contextmanager
def dying_clients(engine: Control) -> Iterator[str]:
    """Eight of them, at a proxy whose name it gives."""
    done = threading.Event()
    with Upstream(large_answers) as up:
        proxy = engine.proxy(up.address)
        threads = [threading.Thread(target=die, args=(proxy.address, done)) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            yield proxy.name
        finally:
            done.set()
            for thread in threads:
                thread.join(5)
