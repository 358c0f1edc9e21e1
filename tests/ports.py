"""Ports for tests that must name them beforehand."""

import os
import socket
from contextlib import ExitStack, suppress


def free_ports(count: int) -> list[int]:
    """Neighbouring free ports, below those that the system hands out to whoever binds port 0 in the meantime.

    Each process looks in a place of its own, so that test runs side by side do not meet.
    """
    for first in range(20_000 + os.getpid() % 1000 * 10, 32_000, count):
        ports = list(range(first, first + count))
        with ExitStack() as held, suppress(OSError):
            for port in ports:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return ports
    raise AssertionError(f"no {count} neighbouring ports are free")
