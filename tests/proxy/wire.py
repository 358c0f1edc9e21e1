"""Both ends of a proxy for the tests: upstreams that follow a script, clients that say what they met, bare HTTP."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

EOF = "EOF"
RST = "RST"
SILENCE = "SILENCE"

Script = Callable[[socket.socket, list[str]], None]


def echo(conn: socket.socket, seen: list[str]) -> None:
    """Send back whatever comes, until the end."""
    while data := conn.recv(65536):
        seen.append(f"{len(data)} bytes")
        conn.sendall(data)
    seen.append(EOF)


def sends(data: bytes, *, then_close: bool = False) -> Script:
    """Send this at once; then close, or wait for the other side's end."""

    def script(conn: socket.socket, seen: list[str]) -> None:
        conn.sendall(data)
        while not then_close and conn.recv(65536):
            pass
        seen.append(EOF)

    return script


def late_answer(conn: socket.socket, seen: list[str]) -> None:
    """Answer only after the client has ended its side."""
    while conn.recv(65536):
        pass
    seen.append(EOF)
    conn.sendall(b"late")


class Upstream:
    """A server in threads; `seen` is what happened to its connections."""

    def __init__(self, script: Script = echo) -> None:
        self.seen: list[str] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._conns: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._conns.append(conn)
            thread = threading.Thread(target=self._serve, args=(conn,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn: socket.socket) -> None:
        try:
            self._script(conn, self.seen)
        except ConnectionResetError:
            self.seen.append(RST)
        except OSError:
            self.seen.append("closed")
        finally:
            conn.close()

    def saw(self, what: str, within: float = 3.0) -> bool:
        """Whether this happens in time."""
        return eventually(lambda: what in self.seen, within)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in [self._listener, *self._conns]:
            with contextlib.suppress(OSError):  # not connected any more
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(2)


class Client:
    """A connection through a proxy; reading says what was met, and never waits longer than its patience."""

    def __init__(self, address: str, patience: float = 5.0) -> None:
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host.strip("[]"), int(port)), timeout=patience)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, patience: float | None = None) -> bytes | str:
        """The next bytes, or EOF, RST or SILENCE."""
        if patience is not None:
            self.sock.settimeout(patience)
        try:
            return self.sock.recv(65536) or EOF
        except TimeoutError:
            return SILENCE
        except (ConnectionResetError, BrokenPipeError):
            return RST

    def read_all(self) -> tuple[int, str]:
        """How many bytes came, and what ended them."""
        size = 0
        while True:
            got = self.read()
            if isinstance(got, str):
                return size, got
            size += len(got)

    def read_until(self, size: int) -> float:
        """Seconds until this many bytes have come."""
        begin = time.monotonic()
        while size > 0:
            got = self.read()
            if isinstance(got, str):
                raise AssertionError(f"{got} with {size} bytes missing")
            size -= len(got)
        return time.monotonic() - begin

    def ask(self, data: bytes) -> float:
        """Seconds until an echo is back."""
        self.send(data)
        return self.read_until(len(data))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def type(self) -> str | None:
        return self.headers.get("content-type")


def request(
    url: str, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, limit: float = 30
) -> Reply:
    """One request on a connection of its own; text and bytes go as they are, anything else as JSON."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=limit)
    raw = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
    try:
        connection.request(
            method, path, raw.encode() if isinstance(raw, str) else raw, {"User-Agent": "test", **(headers or {})}
        )
        answer = connection.getresponse()
        return Reply(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        )
    finally:
        connection.close()


@dataclass(slots=True)
class Control:
    """A control port in bare HTTP, and the proxies a test made on it."""

    url: str
    kind: str
    made: list[str] = field(default_factory=list)

    @property
    def embedded(self) -> bool:
        return self.kind == "embedded"

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return request(self.url, method, path, body, named)

    def proxy(self, upstream: str, **fields: object) -> "Proxied":
        """A new proxy to this upstream on a free port."""
        name = f"t{time.monotonic_ns()}"
        reply = self("POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream, **fields})
        assert reply.status == 201, reply.text
        self.made.append(name)
        return Proxied(self, name, reply.json["listen"])

    def clean(self) -> None:
        for name in self.made:
            self("DELETE", f"/proxies/{quote(name, safe='')}")
        self.made.clear()


@dataclass(frozen=True, slots=True)
class Proxied:
    """One proxy of a test."""

    control: Control
    name: str
    address: str

    @property
    def path(self) -> str:
        return f"/proxies/{quote(self.name, safe='')}"

    def toxic(
        self, kind: str, stream: str = "downstream", toxicity: float = 1, name: str = "", **attributes: int
    ) -> str:
        body = {"type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes, "name": name}
        reply = self.control("POST", f"{self.path}/toxics", body)
        assert reply.status == 200, reply.text
        return str(reply.json["name"])

    def update(self, toxic: str, **attributes: int) -> Reply:
        return self.control("PATCH", f"{self.path}/toxics/{toxic}", {"attributes": attributes})

    def remove(self, toxic: str) -> Reply:
        return self.control("DELETE", f"{self.path}/toxics/{toxic}")

    def set(self, **fields: object) -> Reply:
        return self.control("PATCH", self.path, fields)

    def show(self) -> Any:
        return self.control("GET", self.path).json

    def felt(self) -> Any:
        """The embedded engine's own answer."""
        return self.control("GET", f"/mockbot{self.path}").json

    def client(self, patience: float = 5.0) -> Client:
        return Client(self.address, patience)


def eventually(check: Callable[[], bool], within: float = 3.0) -> bool:
    """Whether this becomes true in time."""
    pause, end = threading.Event(), time.monotonic() + within
    while not check():
        if time.monotonic() > end:
            return False
        pause.wait(0.01)
    return True


def refused_address() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"127.0.0.1:{sock.getsockname()[1]}"
