"""An answer as timed chunks: what a real provider, a recording and its replay have in common. No I/O.

    source.ask(asked, exchange)          returns at once; the exchange fills then, or bit by bit as the answer comes
    exchange.status, exchange.headers    of the answer, which came after `came` seconds; status 0: they have not come
    exchange.chunks                      (seconds since the request was sent, bytes): what has come and was not taken
    exchange.end                         how it ended, None while it goes on; `failed` says why it could not be asked
    exchange.cancel()                    nobody wants the rest

`wake` is called when something has come, or the answer has ended.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from mockbot.dialects.dialect import Header, ProviderError

Chunk = tuple[float, bytes]  # wall seconds since its request was sent
# In order; the connection ended by FIN or RST before; whoever asked has left; there was no connection at all.
Ended = Literal["ok", "closed", "reset", "left", "failed"]

MOST_WAITING = 2**20  # bytes that may wait for a client that reads slowly, before its upstream is read no further


class Asked(NamedTuple):
    """A request: `target` is its path and query as they came, names of headers are in lower case."""

    method: str
    target: bytes
    headers: tuple[Header, ...]
    body: bytes


class Copy(Protocol):
    """Who else wants to know what comes."""

    def add(self, chunk: Chunk) -> None:
        """A chunk has come."""

    def finish(self, exchange: "Exchange", end: Ended) -> None:
        """It has ended."""


def _nothing() -> None:
    pass


class Exchange:
    """One answer."""

    __slots__ = (
        "asked", "came", "cancel", "chunks", "copy", "end", "failed", "flow", "headers", "status", "waiting", "wake",
    )  # fmt: skip

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.cancel: Callable[[], object] = _nothing
        self.flow: Callable[[bool], None] | None = None  # True: read on, False: stop reading
        self.asked = time.monotonic()
        self.status, self.came = 0, 0.0
        self.headers: list[Header] = []
        self.chunks: deque[Chunk] = deque()
        self.copy: Copy | None = None
        self.waiting = 0  # bytes in `chunks`
        self.end: Ended | None = None
        self.failed = ""

    def begin(self, status: int, headers: list[Header]) -> None:
        """Its head has come now."""
        self.status, self.headers, self.came = status, headers, time.monotonic() - self.asked
        self.wake()

    def add(self, data: bytes) -> None:
        """Bytes have come now."""
        chunk = time.monotonic() - self.asked, data
        self.chunks.append(chunk)
        if self.copy is not None:
            self.copy.add(chunk)
        self.waiting += len(data)
        if self.waiting > MOST_WAITING and self.flow is not None:
            self.flow(False)
        self.wake()

    def take(self) -> Chunk:
        """The oldest chunk, which is then no longer there."""
        chunk = self.chunks.popleft()
        before, self.waiting = self.waiting, self.waiting - len(chunk[1])
        if self.flow is not None and before > MOST_WAITING >= self.waiting:
            self.flow(True)
        return chunk

    def finish(self, end: Ended, failed: str = "") -> None:
        """Nothing more will come."""
        if self.end is None:
            self.end, self.failed = end, failed
            self.cancel, self.flow = _nothing, None  # its connection may be another's by now
            if self.copy is not None:
                self.copy.finish(self, end)
            self.wake()


class NotGivenError(ProviderError):
    """A source that gives no answer to a request. `kind` and `name`: how `mockbot.evidence.unserved` counts it."""

    def __init__(self, status: int, kind: Literal["spend", "replay"], name: str, message: str) -> None:
        super().__init__(status, f"{kind}_refused", message)
        self.kind, self.name = kind, name


class Source(Protocol):
    """Where answers come from. `scale`: wall seconds for a second of its chunks."""

    scale: float

    def ask(self, asked: Asked, exchange: Exchange) -> None:
        """Begin to fill the exchange, or NotGivenError."""
