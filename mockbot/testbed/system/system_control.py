"""Stop and start the system under test from the driver, which runs in another process: both ends of a control port.

The command that started the system owns it, and serves `POST /TOKEN/stop`, `/TOKEN/planned` and `/TOKEN/start`.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from mockbot.errors import REPORT_IT, TestbedError
from mockbot.faults.effects import Restarted
from mockbot.process.control_port import ask

if TYPE_CHECKING:  # the driver has no system in its process, and the pytest plugin imports the driver
    from mockbot.testbed.system.running_system import RunningSystem


@contextmanager
def system_control(running: "RunningSystem") -> Iterator[str]:
    """The URL of its control port; no request is under way any more when the block ends."""
    token = secrets.token_urlsafe(16)
    does = {
        f"/{token}/stop": lambda: running.stop(planned=False),
        f"/{token}/planned": lambda: running.stop(planned=True),
        f"/{token}/start": running.start,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            change = does.get(self.path)
            if change is not None:
                change()
            self.send_response(404 if change is None else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="system control", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/{token}"
        finally:
            server.shutdown()
            thread.join()


def change_system(url: str, effect: Restarted, *, begins: bool) -> None:
    """Begin or end a restart. Raises TestbedError."""
    what = ("planned" if effect.planned else "stop") if begins else "start"
    try:
        answer = ask(url, "POST", f"/{what}", limits=(5.0, 20.0))
    except (ConnectionError, TimeoutError) as error:
        raise TestbedError(f"the system could not be told to {what}: {error}") from None
    if answer.status != 204:
        raise TestbedError(f"the system could not be told to {what}: {answer.status}; {REPORT_IT}")
