"""Clean up on a Toxiproxy when the parent process has ended: stdin ends then, even after `kill -9`.

    python -m mockbot.proxy.cleanup_watchdog server BINARY    runs a Toxiproxy on a free port and reports {"control":
                                                              URL}; ends it when stdin ends
    python -m mockbot.proxy.cleanup_watchdog proxies URL      reports {"control": URL}; reads lines `+name` and `-name`
                                                              (JSON strings after the sign); when stdin ends, deletes
                                                              the proxies that were added and not taken back

Only the standard library, so that it starts fast.
"""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterable
from threading import Event
from urllib.parse import quote, urlsplit

from mockbot.process.held_port import held_port
from mockbot.process.lifeline import report_ready, wait_for_stdin_to_end
from mockbot.process.process_group import end

READY_LIMIT = 10.0  # seconds, as all limits here
CALL_LIMIT = 5.0
LEAVE_LIMIT = 2.0  # a deadlocked control API also holds up Toxiproxy's shutdown
TRIES = 3
LOOK = 0.02


def call(url: str, method: str, path: str) -> int | None:
    """The status of one request, or None when there was no answer in time."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=CALL_LIMIT)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def start(binary: str) -> tuple[subprocess.Popen[bytes], str]:
    """A running Toxiproxy and its address; SystemExit with the reason when it does not come up."""
    for _ in range(TRIES):  # where a port cannot be held, another process may take it before Toxiproxy does
        with held_port() as port:
            server = subprocess.Popen(
                [binary, "-host", "127.0.0.1", "-port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            url = f"http://127.0.0.1:{port}"
            for _ in range(int(READY_LIMIT / LOOK)):
                if call(url, "GET", "/version") == 200:
                    return server, url
                if server.poll() is not None:
                    break
                Event().wait(LOOK)
            end(server, server.kill, LEAVE_LIMIT)
    sys.exit(f"{binary} did not open its control port within {READY_LIMIT:g} s")


def guard_server(binary: str) -> None:
    """Run a Toxiproxy until stdin ends."""
    server, url = start(binary)
    try:
        report_ready({"control": url})
        wait_for_stdin_to_end()
    finally:
        end(server, server.terminate, LEAVE_LIMIT)


def guard_proxies(url: str, lines: Iterable[str]) -> None:
    """Keep the names of this run's proxies until the lines end, then delete those proxies."""
    report_ready({"control": url})
    names: dict[str, None] = {}  # in the order of their creation
    for line in lines:
        name = json.loads(line[1:])
        if line.startswith("+"):
            names[name] = None
        else:
            names.pop(name, None)
    for name in names:
        call(url, "DELETE", f"/proxies/{quote(name, safe='')}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", binary]:
            guard_server(binary)
        case ["proxies", url]:
            guard_proxies(url, sys.stdin)
        case _:
            sys.exit(__doc__)
