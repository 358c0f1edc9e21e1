"""The control endpoint of `mockbot serve`: read the state, enter another phase. A PhaseController in, an address out.

    GET  /_mockbot/play               {"phase", "held", "t", "wrong", "phases"}
    POST /_mockbot/play/next          begin the next phase and stay in it
    POST /_mockbot/play/phase/NAME    begin that phase and stay in it
    POST /_mockbot/play/go            begin the next phase and let time pass

Browsers are refused, as at every control port.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from mockbot.commands.phase_controller import PhaseController
from mockbot.errors import MockbotError, TestbedError, UsageError
from mockbot.http_server.background_server import background_server
from mockbot.http_server.browser_guard import refused
from mockbot.service.control_messages import PREFIX

PATH = f"{PREFIX}/play"


@contextmanager
def serve_api(controller: PhaseController, port: int = 0) -> Iterator[str]:
    """Listen until the block ends; yields the address. TestbedError when the port is taken."""
    try:
        sock = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise TestbedError(
            f"the control endpoint cannot listen on port {port}: {os.strerror(error.errno or 0)}; choose another"
        ) from None
    with background_server(_app(controller), sock, "mockbot-serve-api"):
        yield f"http://127.0.0.1:{sock.getsockname()[1]}{PATH}"


def _app(controller: PhaseController) -> FastAPI:
    app = FastAPI(title="mockbot serve", docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return refused(request, None) or await call_next(request)

    @app.exception_handler(MockbotError)
    def failed(_: Request, error: MockbotError) -> Response:
        return JSONResponse({"error": str(error)}, 404 if isinstance(error, UsageError) else 503)

    @app.get(PATH)
    def state() -> Response:
        return JSONResponse(asdict(controller.state()))

    @app.post(f"{PATH}/next")
    def step() -> Response:
        return JSONResponse(asdict(controller.order(None, stay=True)))

    @app.post(f"{PATH}/go")
    def go() -> Response:
        return JSONResponse(asdict(controller.order(None, stay=False)))

    @app.post(f"{PATH}/phase/{{name}}")
    def jump(name: str) -> Response:
        return JSONResponse(asdict(controller.order(name, stay=True)))

    return app
