"""One connection through the proxy in virtual time: the proxy's own links and toxics on the run's event queue.

    client --request--> [ Link upstream ] --> SimProvider.serve
    client <--answer--- [ Link downstream ] <-- SimDelivery       a SimConnection, kept for its user's next attempt

Bytes really go through `proxy.link.Link`, so a toxic does here exactly what it does on a socket. What the bytes mean is
remembered by position: the client understands a part of the answer when the last of its bytes has arrived.
"""

from collections import deque
from collections.abc import Callable, Mapping
from random import Random

from mockbot.dialects.answer_parts import Choice, Part
from mockbot.dialects.dialect import AnswerMetadata, Dialect, Question
from mockbot.evidence.records import Outcome
from mockbot.proxy.link import Link, Traffic
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics.reset_peer import ResetPeer
from mockbot.simulate.reference.event_queue import EventQueue, Timer
from mockbot.simulate.reference.sim_attempt import Server, SimAttempt

# Sizes matter to bandwidth and slicing toxics only; typical of an HTTP client's request and an API's answer.
REQUEST = bytes(700)  # headers and a short question
HEAD = 600  # bytes of the status line and the headers of an answer
CHUNKED = 8  # bytes of framing around a chunk
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


class Sizes:
    """How many bytes the parts of an answer have, as its dialect writes them."""

    def __init__(self, dialect: Dialect) -> None:
        one_text = (Choice((Part("text", ("",)),)),)
        stream = dialect.stream(AnswerMetadata(Question("mockbot"), 0, 0, 60), one_text)
        self.opening = len(stream.opening()) + CHUNKED
        self.event = len(stream.tokens(0, 1)) + CHUNKED
        self.word = 5  # bytes of a token, its blank included
        self.closing = len(stream.closing()) + 2 * CHUNKED
        self.error = 200 + CHUNKED  # an error event, or one that is no JSON
        self.body = 300  # of an error answer


class Timers:
    """The event queue as the proxy's stages see it (`proxy.toxic_pipeline.Timers`)."""

    __slots__ = ("_events", "after")

    def __init__(self, events: EventQueue) -> None:
        self._events = events
        self.after: Callable[[float, Callable[[], None]], Timer] = events.after

    def now(self) -> float:
        """This moment."""
        return self._events.now

    @staticmethod
    def spent() -> bool:
        """Work takes no virtual time."""
        return False


class Shared:
    """What the connections to one provider share."""

    def __init__(self, server: Server, dialect: Dialect, seed: str) -> None:
        self.server, self.seed, self.sizes, self.timers = server, seed, Sizes(dialect), Timers(server.events)
        self.toxics: dict[str, Toxic] = {}
        self.connections: dict[SimConnection, None] = {}  # in order, so that runs repeat


class _End:
    """The destination of a link (`proxy.link.Ends`), and the source that writes into it unless it is paused."""

    __slots__ = ("_held", "_paused", "close", "link", "reset", "write")
    link: Link

    def __init__(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        self.write, self.close = write, close
        self.reset = close  # a connection knows by itself whether its ends are resets
        self._paused = False
        self._held: deque[bytes | None] = deque()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        while self._held and not self._paused:
            self.put(self._held.popleft())

    def put(self, data: bytes | None) -> None:
        """The source writes; None: it closes."""
        if self._paused:
            self._held.append(data)
        elif data is None:
            self.link.source_ended()
        else:
            self.link.receive(data)


class SimConnection:
    """One connection through the proxy: number n of its wire. The `Receiver` of the answer that it carries."""

    one_by_one = True  # every token is reported when it comes, because it has to pass the toxics then

    def __init__(self, shared: Shared, number: int) -> None:
        self._shared, self._server, self._number = shared, shared.server, number
        self.timers = shared.timers
        self._touched: set[str] = set()
        self._attempt: SimAttempt | None = None
        self._requested = self._sent = self._received = 0
        self._request_end = 0
        self._marks: deque[tuple[int, Callable[[SimAttempt], None]]] = deque()
        self._client_open = self._server_open = True
        # As the live proxy: with such a toxic at its begin, a connection ends with RST whatever ends it.
        self._resets = any(isinstance(toxic.effect, ResetPeer) for toxic in shared.toxics.values())
        self._up = _End(self._server_reads, self._server_reads_end)
        self._down = _End(self._client_reads, self._client_reads_end)
        self.links: Mapping[Direction, Link] = {
            way: Link(
                way, [toxic for toxic in shared.toxics.values() if toxic.direction is way], self, end, end, Traffic()
            )
            for way, end in ((UP, self._up), (DOWN, self._down))
        }
        self._up.link, self._down.link = self.links[UP], self.links[DOWN]

    # -- what its links share (proxy.toxic_pipeline.Context) -----------------------------------------------------

    def stream(self, direction: Direction, toxic: str) -> Random:
        """As the live proxy has it: one for each toxic on each connection."""
        return Random(f"{self._shared.seed}/{self._number}/{direction}/{toxic}")

    def touched(self, toxic: str) -> None:
        """A toxic has really changed the traffic; counted once a connection, as live."""
        if toxic not in self._touched:
            self._touched.add(toxic)
            self._server.felt(toxic)

    # -- requests ------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """It can take another attempt."""
        return self._attempt is None and self._client_open and self._server_open

    def request(self, attempt: SimAttempt, *, reachable: bool) -> None:
        """The client sends; the proxy closes when it cannot reach the server."""
        self.take(attempt)
        if not reachable:
            self.close_server()
            return
        self._request_end = self._requested + len(REQUEST)
        self._up.put(REQUEST)

    def take(self, attempt: SimAttempt) -> None:
        """From now on it carries this attempt."""
        self._attempt, attempt.connection = attempt, self

    def _server_reads(self, data: bytes) -> None:
        self._requested += len(data)
        attempt = self._attempt
        if attempt is not None and self._requested == self._request_end and attempt.answer is None:
            self._server.serve(attempt)

    # -- answers (`Receiver`): bytes are sent now, and reported to the attempt when they have come through ---------

    def opened(self) -> None:
        self._send(0, SimAttempt.opened)

    def hear(self, count: int, first: float, last: float, gap: float) -> None:  # noqa: ARG002 - they have yet to arrive
        def read(attempt: SimAttempt) -> None:
            now = self._server.events.now
            attempt.hear(count, now, now, 0.0)

        sizes = self._shared.sizes
        self._send(sizes.event + count * sizes.word + (0 if self._sent else sizes.opening), read)

    def ended(self, outcome: Outcome, status: int = 200, retry_after: float | None = None) -> None:
        if outcome in {"reset", "closed"}:
            self.close_server(reset=outcome == "reset")
            return
        sizes, attempt = self._shared.sizes, self._attempt
        size = {"error_event": sizes.error, "malformed": sizes.error, "truncated": CHUNKED}.get(outcome, sizes.closing)
        if status != 200:
            size = sizes.body
        elif attempt is not None and attempt.answer is not None and not attempt.prompt.user.group.spec.stream:
            size = sizes.body + attempt.answer.tokens * sizes.word

        def read(attempt: SimAttempt) -> None:
            (self.close_client if outcome == "malformed" else self._release)()
            attempt.ended(outcome, status, retry_after)

        self._send(size, read)

    def _send(self, size: int, read: Callable[[SimAttempt], None]) -> None:
        """`read` is called with the attempt when the client has all of it."""
        size += 0 if self._sent else HEAD
        self._sent += size
        self._marks.append((self._sent, read))
        self._down.put(bytes(size))

    def _client_reads(self, data: bytes) -> None:
        self._received += len(data)
        while self._marks and self._marks[0][0] <= self._received:
            _, read = self._marks.popleft()
            if self._attempt is not None:
                read(self._attempt)

    def _release(self) -> None:
        """The answer is complete; the connection is free for the next one."""
        self._attempt, self._sent, self._received = None, 0, 0
        self._marks.clear()
        if not self._shared.toxics:
            self._shared.connections.pop(self, None)

    # -- ends ----------------------------------------------------------------------------------------------------

    def close_client(self) -> None:
        """The client closes its socket."""
        self._client_open = False
        self.links[DOWN].stop()
        self._up.put(None)
        self._forget_if_closed()

    def close_server(self, *, reset: bool = False) -> None:
        """The server closes its socket."""
        self._server_open = False
        self._resets |= reset
        self.links[UP].stop()
        self._down.put(None)
        self._forget_if_closed()

    def abort(self) -> None:
        """The proxy closes both."""
        for link in self.links.values():
            link.stop()
        self._client_open = self._server_open = False
        self._forget_if_closed()

    def _server_reads_end(self) -> None:
        attempt = self._attempt  # closing may free the connection
        if self._server_open:
            self.close_server()
            if attempt is not None:
                self._server.abandon(attempt)

    def _client_reads_end(self) -> None:
        attempt = self._attempt
        if self._client_open:
            self.close_client()
            if attempt is not None and not attempt.over:
                attempt.ended("reset" if self._resets else "closed")

    def _forget_if_closed(self) -> None:
        if not self._client_open and not self._server_open:
            self._shared.connections.pop(self, None)
