"""Cleans up after a parent that was killed: waits for the end of its stdin, which no `kill -9` can prevent.

    python -m mockbot.proxy.guardian server BINARY    runs a Toxiproxy on a free port and prints {"control": URL};
                                                      at the end of stdin the server is ended
    python -m mockbot.proxy.guardian proxies URL      prints {"control": URL}; reads lines `+name` and `-name` (JSON
                                                      strings after the sign); at the end of stdin deletes what is left

Only the standard library, so that it starts fast, and a session of its own, so that Ctrl-C does not reach it.
"""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterable
from threading import Event
from urllib.parse import quote, urlsplit

READY_LIMIT = 10.0
CALL_LIMIT = 5.0
TRIES = 3


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


def announce(url: str) -> None:
    print(json.dumps({"control": url}), flush=True)  # noqa: T201


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def started(binary: str) -> tuple[subprocess.Popen[bytes], str]:
    """A running Toxiproxy and its address; SystemExit with the reason when it does not come up."""
    for _ in range(TRIES):  # the port was free a moment ago
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        child = subprocess.Popen(
            [binary, "-host", "127.0.0.1", "-port", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if answers(child, url):
            return child, url
        child.kill()
        child.wait()
    sys.exit(f"{binary} did not open its control port within {READY_LIMIT:g} s")


def answers(child: subprocess.Popen[bytes], url: str) -> bool:
    pause = Event()
    for _ in range(int(READY_LIMIT / 0.02)):
        if call(url, "GET", "/version") == 200:
            return True
        if child.poll() is not None:
            return False
        pause.wait(0.02)
    return False


def guard_server(binary: str) -> None:
    child, url = started(binary)
    try:
        announce(url)
        for _ in sys.stdin:
            pass
    finally:
        child.terminate()
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:  # a deadlocked control API also holds up the shutdown
            child.kill()
            child.wait()


def guard_proxies(url: str, lines: Iterable[str]) -> None:
    announce(url)
    leased: dict[str, None] = {}
    for line in lines:
        name = json.loads(line[1:])
        if line.startswith("+"):
            leased[name] = None
        else:
            leased.pop(name, None)
    for name in leased:
        call(url, "DELETE", f"/proxies/{quote(name, safe='')}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", binary]:
            guard_server(binary)
        case ["proxies", url]:
            guard_proxies(url, sys.stdin)
        case _:
            sys.exit(__doc__)
