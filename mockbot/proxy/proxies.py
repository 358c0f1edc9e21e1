"""One proxy: its settings in, listener and connections opened and closed. One event loop, no locks.

The rules of update, populate and reset are Toxiproxy 2.12.0's (proxy.go, proxy_collection.go) with three deliberate
differences: every spelling of a wildcard listener is the same address, an upstream that does not answer is given up
after `DIAL_LIMIT`, and dials do not wait for each other.
"""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from mockbot.process.self_watch import SelfWatch
from mockbot.proxy import address
from mockbot.proxy.connection import Connection
from mockbot.proxy.link import Traffic
from mockbot.proxy.timers import LoopTimers
from mockbot.proxy.toxic import Direction, Toxic

DIAL_LIMIT = 10.0
ACCEPT_PAUSE = 0.05  # seconds without accepting when the process has no file descriptor left
KEPT_LOGS = 100_000  # of each proxy, about 20 MB; whoever asks regularly gets every connection


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client can set on a proxy."""

    listen: str
    upstream: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ConnectionLog:
    """What became of one connection: its number, when it was opened (Unix time) and the toxics that touched it."""

    number: int
    opened: float
    toxics: tuple[str, ...]
    closed_by_disable: bool
    port: int  # the proxy's own, as the server knows it


class TrafficTable:
    """Byte counters by direction, proxy, listener and upstream; they outlive the proxy, as counters must."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Direction, str, str, str], Traffic] = {}

    def of(self, proxy: "Proxy") -> Mapping[Direction, Traffic]:
        return {
            direction: self.rows.setdefault((direction, proxy.name, proxy.listen, proxy.upstream), Traffic())
            for direction in Direction
        }


class Proxy:
    """One listener, one upstream, two chains of toxics, and what became of each connection."""

    def __init__(
        self,
        name: str,
        listen: str,
        upstream: str,
        timers: LoopTimers,
        *,
        seed: int,
        table: TrafficTable,
        watch: SelfWatch,
    ) -> None:
        self.name, self.listen, self.upstream = name, listen, upstream
        self.toxics: dict[Direction, list[Toxic]] = {direction: [] for direction in Direction}
        self.touched: Counter[str] = Counter()
        self.accepted = self.unreachable = self.closed_by_disable = 0
        self.connections: dict[int, Connection] = {}
        self.finished: deque[ConnectionLog] = deque(maxlen=KEPT_LOGS)
        self.over = 0  # connections, those that `finished` has dropped included
        self._timers, self._seed, self._table, self._watch = timers, seed, table, watch
        self._listener: socket.socket | None = None
        self._opening: dict[asyncio.Task[None], socket.socket] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def enabled(self) -> bool:
        return self._listener is not None

    # -- start, stop, update

    async def start(self) -> None:
        """Listen; port 0 becomes the real port. AddressError when that cannot be. No-op when already listening."""
        if self._listener is None:
            try:
                where = await address.resolve(self.listen)
            except address.AddressError as error:
                raise address.AddressError(f"listen tcp: {error}") from None
            listener = address.listen(where)
            self.listen = address.bound(listener)
            self._listener = listener
            self._loop.add_reader(listener.fileno(), self._accept)

    def stop(self) -> None:
        """Stop listening and close every connection now; what is in the chains is lost."""
        if self._listener is None:
            return
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        self._listener = None
        for task in self._opening:
            task.cancel()
        for connection in list(self.connections.values()):
            self.closed_by_disable += 1
            self._forget(connection, by_disable=True)
            connection.abort()

    async def differs(self, listen: str, upstream: str) -> bool:
        """Whether these settings would move the proxy. Listen is compared resolved, upstream as text (proxy.go)."""
        where = await address.resolve(listen)
        return address.canonical(self.listen) != str(where) or self.upstream != upstream

    async def update(self, wanted: Settings) -> None:
        """Change only what differs: connections and toxics survive an update that changes nothing."""
        if await self.differs(wanted.listen, wanted.upstream):
            self.stop()
            self.listen, self.upstream = wanted.listen, wanted.upstream
        if wanted.enabled:
            await self.start()
        else:
            self.stop()

    # -- toxics

    def find(self, name: str) -> Toxic | None:
        return next((toxic for toxic in self.all_toxics() if toxic.name == name), None)

    def all_toxics(self) -> list[Toxic]:
        return [toxic for direction in Direction for toxic in self.toxics[direction]]

    def add_toxic(self, toxic: Toxic) -> None:
        self.toxics[toxic.direction].append(toxic)
        for connection in self.connections.values():
            connection.links[toxic.direction].add(toxic)

    def changed_toxic(self, toxic: Toxic) -> None:
        """The toxic's effect or toxicity is new; live connections follow at once."""
        for connection in self.connections.values():
            connection.links[toxic.direction].update(toxic)

    def remove_toxic(self, toxic: Toxic) -> None:
        self.toxics[toxic.direction].remove(toxic)
        for connection in self.connections.values():
            connection.links[toxic.direction].remove(toxic)

    def remove_toxics(self) -> None:
        for toxic in self.all_toxics():
            self.remove_toxic(toxic)

    # -- connections

    def _accept(self) -> None:
        while self._listener is not None:
            try:
                client, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # the process has no file descriptor left
                self._watch.failed(error)
                self._pause_accepting(self._listener)
                return
            client.setblocking(False)
            task = self._loop.create_task(self._open(client, self.accepted))
            self.accepted += 1
            self._opening[task] = client
            task.add_done_callback(self._opened)

    def _pause_accepting(self, listener: socket.socket) -> None:
        def resume() -> None:
            if listener is self._listener:
                self._loop.add_reader(listener.fileno(), self._accept)

        self._loop.remove_reader(listener.fileno())
        self._loop.call_later(ACCEPT_PAUSE, resume)

    def _opened(self, task: asyncio.Task[None]) -> None:
        client = self._opening.pop(task)
        if task.cancelled():  # maybe before its first step, so the task itself cannot be the one that closes
            client.close()

    async def _open(self, client: socket.socket, number: int) -> None:
        """Connect one client to the upstream; when that fails it sees its connection closed (RST if it had sent)."""
        connection = Connection(number, self, self._timers)
        try:
            await connection.attach(client, *address.dialled(self.upstream), DIAL_LIMIT)
        except (OSError, TimeoutError, ValueError, address.AddressError) as error:  # ValueError: a NUL in the host
            if isinstance(error, OSError):
                self._watch.failed(error)
            self.unreachable += 1
            client.close()
            return
        self.connections[number] = connection
        connection.start(self.toxics, self._table.of(self))

    # -- the connections' calls

    def stream(self, number: int, direction: Direction, toxic: str) -> Random:
        """The random numbers of one toxic on one connection."""
        return Random(f"{self._seed}/{self.name}/{number}/{direction}/{toxic}")

    def felt(self, toxic: str) -> None:
        self.touched[toxic] += 1

    def gone(self, connection: Connection) -> None:
        self._forget(connection, by_disable=False)

    def _forget(self, connection: Connection, *, by_disable: bool) -> None:
        if self.connections.pop(connection.number, None) is not None:
            toxics = tuple(connection.log)
            log = ConnectionLog(connection.number, connection.opened, toxics, by_disable, connection.port)
            self.finished.append(log)
            self.over += 1
