"""Ask a real provider over HTTP/1.1: an Asked in, an Exchange that fills as the bytes come out.

The rules. The request goes to the one address that the command line names and nowhere else: no redirect is followed and
no proxy of the environment is used. Bodies pass as they are; headers too, but for those of one connection only
(RFC 9110, 7.6.1) and mockbot's own. A key from the command line replaces every credential of the client. The answer is
asked for unpacked, because tokens are counted in it. A client that leaves ends the upstream's connection.

Why no HTTP library: `httptools` is uvicorn's parser and in the tree; a pass-through needs its chunks at once and
without the work of a client, which would cost more CPU than the service's own share of a request.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

from mockbot.dialects.client_identity import ATTEMPT, GROUP, PROMPT
from mockbot.dialects.dialect import Header
from mockbot.dialects.families import without_keys
from mockbot.units.formatting import format_wall
from mockbot.upstream.exchange import Asked, Ended, Exchange

CONNECT_WITHIN = 10.0  # wall seconds
IDLE = 4.0  # wall seconds after which a connection is not used again; uvicorn closes idle ones after 5
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_NOT_SENT = _HOP_BY_HOP | {b"host", b"content-length", b"accept-encoding", b"expect"} | {
    each.encode() for each in (PROMPT, ATTEMPT, GROUP)
}  # fmt: skip


class Real:
    """One provider at one address. `credentials`: headers that replace whatever key the client has sent."""

    scale = 1.0

    def __init__(self, url: str, credentials: Mapping[str, str] | None = None) -> None:
        place = urlsplit(url)
        self._host, self._secure = place.hostname or "", place.scheme == "https"
        self._port = place.port or (443 if self._secure else 80)
        self._path, self._authority = place.path.rstrip("/").encode(), place.netloc.rpartition("@")[2].encode()
        self._credentials = None
        if credentials is not None:
            self._credentials = [(name.lower().encode(), value.encode()) for name, value in credentials.items()]
        self._tls: ssl.SSLContext | None = None
        self._idle: deque[tuple[float, _Connection]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, asked: Asked, exchange: Exchange) -> None:
        """Send the request; connect first where no idle connection is left."""
        message = self._message(asked)
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE and connection.usable:
                connection.begin(exchange, message, head_only=asked.method == "HEAD")
                return
            connection.close()
        task = asyncio.get_running_loop().create_task(self._connect(asked, exchange, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.cancel = task.cancel

    async def _connect(self, asked: Asked, exchange: Exchange, message: bytes) -> None:
        loop = asyncio.get_running_loop()
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._idle), self._host, self._port, ssl=self._tls
                )
        except TimeoutError:
            exchange.finish("failed", f"no connection within {format_wall(CONNECT_WITHIN)}")
        except OSError as error:  # names that are not known and certificates that are not trusted, too
            exchange.finish("failed", error.strerror or str(error))
        else:
            connection.begin(exchange, message, head_only=asked.method == "HEAD")

    def _message(self, asked: Asked) -> bytes:
        target, headers = asked.target, [each for each in asked.headers if each[0] not in _NOT_SENT]
        if self._credentials is not None:
            headers, target = without_keys(headers, target)
            headers += self._credentials
        headers += [(b"host", self._authority), (b"accept-encoding", b"identity")]
        if asked.body or asked.method not in {"GET", "HEAD"}:
            headers.append((b"content-length", b"%d" % len(asked.body)))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        return b"%b %b%b HTTP/1.1\r\n%b\r\n%b" % (asked.method.encode(), self._path, target, lines, asked.body)


class _Connection(asyncio.Protocol):
    """One connection, with at most one exchange at a time; the names `on_…` are httptools'."""

    def __init__(self, idle: "deque[tuple[float, _Connection]]") -> None:
        self._idle = idle
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._done = False

    # -- the exchange --------------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another request can be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """No longer needed."""
        if self._transport is not None:
            self._transport.abort()

    def begin(self, exchange: Exchange, message: bytes, *, head_only: bool) -> None:
        """Send a request."""
        self._exchange, self._head_only = exchange, head_only
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[Header] = []
        self._body: list[bytes] = []
        self._sized = self._keep = self._done = False
        exchange.cancel, exchange.flow = self._cancel, self._flow
        if self._transport is not None:
            self._transport.write(message)

    def _cancel(self) -> None:
        if self._exchange is not None:
            self._end("left")

    def _flow(self, on: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def _push(self) -> None:
        if self._body and self._exchange is not None:
            self._exchange.add(b"".join(self._body))
            self._body = []

    def _end(self, end: Ended) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if end == "ok" and self._keep and not self._head_only and self.usable:
            self._flow(True)
            self._idle.append((time.monotonic(), self))
        else:
            self.close()
        exchange.finish(end)

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer."""
        if self._exchange is None:
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._push()
            self._end("closed")
            return
        self._push()
        if self._done:
            self._end("ok")

    def eof_received(self) -> None:
        """FIN: the regular end of an answer that says neither its length nor that it comes in chunks."""
        if self._exchange is not None:
            self._end("ok" if self._exchange.status and not self._sized else "closed")

    def connection_lost(self, error: Exception | None) -> None:
        """RST, or the end of a connection that has been closed."""
        self._end("closed" if error is None else "reset")

    # -- httptools -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer begins."""
        self._headers, self._sized, self._done = [], False, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        self._sized |= name in {b"content-length", b"transfer-encoding"}
        if name not in _HOP_BY_HOP:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there; one of 1xx only announces another."""
        status = self._parser.get_status_code()
        if status >= 200 and self._exchange is not None:
            self._keep = self._parser.should_keep_alive()
            self._exchange.begin(status, self._headers)
            self._done = self._head_only or status in {204, 304}

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        self._done = self._parser.get_status_code() >= 200
