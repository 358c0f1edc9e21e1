"""One connection through the proxy in virtual time: the proxy's own links and toxics, with an agenda for a clock.

    client --request--> [ Link upstream ] --> desk.serve
    client <--answer--- [ Link downstream ] <-- voice          a SimConnection, kept for its user's next attempt

Bytes really go through `proxy.link.Link`, so a toxic does here exactly what it does on a socket. What the bytes mean is
remembered by position: the client understands a part of the answer when the last of its bytes has arrived.
"""

from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from mockbot.evidence.records import Outcome
from mockbot.proxy.link import Link, Traffic
from mockbot.proxy.toxic import Direction
from mockbot.simulate.reference.sim_attempt import SimAttempt

if TYPE_CHECKING:
    from mockbot.simulate.reference.event_queue import EventQueue, Timer
    from mockbot.simulate.reference.sim_wire import Wire

REQUEST = bytes(700)  # headers and a short question
HEAD = bytes(600)  # status line and headers of an answer
CHUNKED = 8  # bytes of framing around a chunk
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


class _End:
    """Where a link leads to, and how its source is paused."""

    __slots__ = ("_close", "_held", "_holding", "_link", "_write")

    def __init__(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        self._write, self._close = write, close
        self._holding = False
        self._held: deque[bytes | None] = deque()
        self._link: Link

    def write(self, data: bytes) -> None:
        """Bytes have come through."""
        self._write(data)

    def close(self) -> None:
        """The end has come through."""
        self._close()

    def pause(self) -> None:
        """The source is not read."""
        self._holding = True

    def resume(self) -> None:
        """The source is read again."""
        self._holding = False
        while self._held and not self._holding:
            self.put(self._held.popleft())

    def attach(self, link: Link) -> None:
        """This is the link that ends here."""
        self._link = link

    def put(self, data: bytes | None) -> None:
        """The source writes; None: it closes."""
        if self._holding:
            self._held.append(data)
        elif data is None:
            self._link.source_ended()
        else:
            self._link.receive(data)


class SimConnection:
    """One connection through the proxy: number n of its wire. The `Listener` of the answer that it carries."""

    fine = True

    def __init__(self, wire: "Wire", number: int) -> None:
        self._wire, self._number = wire, number
        self._touched: set[str] = set()
        self._exchange: SimAttempt | None = None
        self._requested = self._sent = self._received = 0
        self._asked = 0
        self._marks: deque[tuple[int, Callable[[], None]]] = deque()
        self._client_open = self._server_open = True
        self._up = _End(self._at_server, self._server_closes)
        self._down = _End(self._at_client, self._client_closes)
        chains = {way: [toxic for toxic in wire.toxics.values() if toxic.direction is way] for way in (UP, DOWN)}
        self.links: Mapping[Direction, Link] = {
            UP: Link(UP, chains[UP], self, self._up, self._up, Traffic()),
            DOWN: Link(DOWN, chains[DOWN], self, self._down, self._down, Traffic()),
        }
        self._up.attach(self.links[UP])
        self._down.attach(self.links[DOWN])

    # -- what its links share (proxy.toxic_pipeline.Context) -----------------------------------------------------

    @property
    def timers(self) -> "Timers":
        """The agenda, as stages want it."""
        return Timers(self._wire.desk.agenda)

    def stream(self, direction: Direction, toxic: str) -> Random:
        """As the live proxy has it: one for each toxic on each connection."""
        return Random(f"{self._wire.seed}/{self._number}/{direction}/{toxic}")

    def touched(self, toxic: str) -> None:
        """A toxic has really changed the traffic; counted once a connection, as live."""
        if toxic not in self._touched:
            self._touched.add(toxic)
            self._wire.desk.felt(toxic)

    # -- requests ------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """It can take another attempt."""
        return self._exchange is None and self._client_open and self._server_open

    def request(self, exchange: SimAttempt) -> None:
        """The client sends."""
        self.take(exchange)
        if self._wire.desk.chatbot.down:  # the proxy cannot reach the server, and closes
            self.server_gone()
            return
        self._asked = self._requested + len(REQUEST)
        self._up.put(REQUEST)

    def take(self, exchange: SimAttempt) -> None:
        """From now on it carries this attempt."""
        self._exchange = exchange
        exchange.cable = self

    def _at_server(self, data: bytes) -> None:
        self._requested += len(data)
        exchange = self._exchange
        if exchange is not None and self._requested == self._asked and exchange.answer is None:
            self._wire.desk.serve(exchange)

    # -- answers (exchange.Listener) -----------------------------------------------------------------------------

    def opened(self) -> None:
        """As `Listener`."""
        self._send(self._head(), self._status)

    def hear(self, count: int, first: float, last: float, gap: float) -> None:  # noqa: ARG002 - told when they come
        """As `Listener`."""
        sizes = self._wire.sizes
        size = self._head() + sizes.event + count * sizes.word
        if self._sent == 0:
            size += sizes.opening
        self._send(size, lambda: self._tokens(count))

    def ended(self, outcome: Outcome) -> None:
        """As `Listener`."""
        sizes = self._wire.sizes
        size = {"error_event": sizes.error, "malformed": sizes.error, "truncated": CHUNKED}.get(outcome, sizes.closing)
        exchange = self._exchange
        if exchange is not None and exchange.answer is not None and not exchange.asking.user.part.group.stream:
            size = sizes.body + exchange.answer.tokens * sizes.word
        self._send(self._head() + size, lambda: self._over(outcome))

    def failed(self, status: int, retry_after: float | None) -> None:
        """As `Listener`."""
        exchange, desk = self._exchange, self._wire.desk

        def read() -> None:
            if exchange is not None:
                self._release()
                desk.tell_failure(exchange, status, retry_after)

        self._send(len(HEAD) + self._wire.sizes.body, read)

    def reset(self) -> None:
        """As `Listener`."""
        self.server_gone()

    def _head(self) -> int:
        return len(HEAD) if self._sent == 0 else 0

    def _send(self, size: int, read: Callable[[], None]) -> None:
        self._sent += size
        self._marks.append((self._sent, read))
        self._down.put(bytes(size))

    def _at_client(self, data: bytes) -> None:
        self._received += len(data)
        while self._marks and self._marks[0][0] <= self._received:
            self._marks.popleft()[1]()

    def _status(self) -> None:
        if self._exchange is not None:
            self._exchange.status = 200

    def _tokens(self, count: int) -> None:
        if self._exchange is not None:
            now = self._wire.desk.agenda.now
            self._exchange.hear(count, now, now, 0.0)

    def _over(self, outcome: Outcome) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        exchange.status = 200
        if outcome == "malformed":
            self.client_gone()
        else:
            self._release()
        self._wire.desk.tell(exchange, outcome)

    def _release(self) -> None:
        """The answer is complete; the connection is free for the next one."""
        self._exchange, self._sent, self._received = None, 0, 0
        self._marks.clear()
        if self._wire.plain:
            self._wire.forget(self)

    # -- ends ----------------------------------------------------------------------------------------------------

    def client_gone(self) -> None:
        """The client closes its socket."""
        self._client_open = False
        self.links[DOWN].stop()
        self._up.put(None)
        self._closed()

    def server_gone(self) -> None:
        """The server closes its socket."""
        self._server_open = False
        self.links[UP].stop()
        self._down.put(None)
        self._closed()

    def abort(self) -> None:
        """The proxy closes both."""
        for link in self.links.values():
            link.stop()
        self._client_open = self._server_open = False
        self._closed()

    def _server_closes(self) -> None:
        """The client's end has come through to the server."""
        exchange, was_open = self._exchange, self._server_open
        if not was_open:
            return
        self.server_gone()
        if exchange is not None:
            self._wire.desk.abandon(exchange)

    def _client_closes(self) -> None:
        """The server's end has come through to the client."""
        exchange, was_open = self._exchange, self._client_open
        if not was_open:
            return
        self.client_gone()
        if exchange is not None and not exchange.over:
            self._wire.desk.tell(exchange, "reset")

    def _closed(self) -> None:
        if not self._client_open and not self._server_open:
            self._wire.forget(self)


class Timers:
    """The agenda as the proxy's stages see it."""

    __slots__ = ("_agenda",)

    def __init__(self, agenda: "EventQueue") -> None:
        self._agenda = agenda

    def now(self) -> float:
        """This moment."""
        return self._agenda.now

    def after(self, seconds: float, call: Callable[[], None]) -> "Timer":
        """In so many seconds."""
        return self._agenda.after(seconds, call)
