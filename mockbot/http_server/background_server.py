"""Serve an ASGI application from a thread, with an event loop of its own, until the block ends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from mockbot.errors import TestbedError, UsageError

LEAVE_WITHIN = 3  # wall seconds that an application has for the requests under way


@contextmanager
def background_server(app: ASGIApp, sock: socket.socket, name: str) -> Iterator[None]:
    """An application of mockbot's on a bound, listening socket. `name` is the thread's.

    At the end open connections are dropped, and the socket is closed.
    """
    how = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    how.load()  # here and not in the thread, which an interrupted import can leave without the lock of imports
    server = uvicorn.Server(how)
    thread = threading.Thread(target=server.run, args=([sock],), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(LEAVE_WITHIN)  # and not for ever: uvicorn imports its event loop there
        sock.close()


@contextmanager
def application_server(app: object) -> Iterator[str]:
    """An application of the user's own on a free port, with its lifespan; yields its base URL.

    At the end it shuts down as under `uvicorn`. Raises UsageError for what is no ASGI application, and TestbedError for
    one that does not start.
    """
    how = uvicorn.Config(
        cast("ASGIApp", app), log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=LEAVE_WITHIN,
        loop="asyncio",  # "auto" may change the event loops of the whole process
    )  # fmt: skip
    how.load()
    if how.interface != "asgi3":
        raise UsageError(f"{app!r} is not an ASGI application (async scope, receive, send); start it by a command")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server, stopped = uvicorn.Server(how), threading.Event()

        def serve() -> None:
            try:
                server.run([sock])
            except SystemExit:  # of a lifespan that failed, after uvicorn's logger has said so
                pass
            finally:
                stopped.set()

        thread = threading.Thread(target=serve, name="mockbot-application", daemon=True)
        thread.start()
        try:
            while not server.started:
                if stopped.wait(0.01):
                    raise TestbedError(f"{app!r} does not start; the log of uvicorn.error above says why")
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
