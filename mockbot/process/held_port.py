"""Hold a free port for a child process that can only be told a number: no other process gets it before the child does.

The port is bound here and nobody listens. On Linux a second bind succeeds if both sockets set SO_REUSEADDR, as servers
do (gevent, ZeroMQ, Go); elsewhere it would fail, so there the port is released and only known to have been free.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def held_port(wanted: int = 0, host: str = "127.0.0.1") -> Iterator[int]:
    """`wanted` at `host` if it is free, else any; held until the block ends. OSError: none is free."""
    with closing(_bound(wanted, host)) as holder:
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()
        yield port


def _bound(wanted: int, host: str) -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:  # fails where another process listens
        holder.bind((host, wanted))
    except OSError:
        holder.close()
        if not wanted:
            raise
        return _bound(0, host)
    return holder
