"""Serve an ASGI application from a thread: a bound, listening socket in, a running server until the block ends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def background_server(app: ASGIApp, sock: socket.socket, name: str) -> Iterator[None]:
    """`name` is the thread's. At the end open connections are dropped, and the socket is closed."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, args=([sock],), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        sock.close()
