"""Hedging: attempts of one prompt run beside each other; the first answer wins, on the others we hang up.

`send(move, token)` makes one attempt and sets `token` at its first token. What is left for its twin is `unfinished`.
"""

from collections.abc import Callable

import gevent
from gevent import Greenlet
from gevent.event import Event
from gevent.queue import Empty, Queue

from mockbot.clients.policy import Mind, Seen, Send
from mockbot.load.load_generator import LoadGenerator

Attempt = Callable[[Send, Event], Seen]


class HedgedAttempt:
    """One Send that hedges, from its start to the last of what it led to."""

    def __init__(self, node: LoadGenerator, mind: Mind, send: Attempt) -> None:
        self._node = node
        self._mind = mind
        self._send = send
        self._done: Queue[Greenlet] = Queue()
        self._running: dict[Greenlet, tuple[Send, Event]] = {}

    def run(self, move: Send) -> Seen:
        """What the winner saw, or the last to fail; of everyone else the mind has been told."""
        try:
            self._start(move)
            while True:
                finished = self._next(move)
                if finished is None:
                    move = self._hedge(move)
                    continue
                del self._running[finished]
                seen: Seen = finished.get()
                if seen.outcome == "ok" or not self._running:
                    return seen
                self._mind.beside(self._node.clock.now(), seen)
        finally:
            self._hang_up()

    def _start(self, move: Send) -> None:
        token = Event()
        racer = gevent.spawn(self._send, move, token)
        self._running[racer] = (move, token)
        racer.link(self._done.put)

    def _next(self, move: Send) -> Greenlet | None:
        """UserIdentity finishes next; None when it is time to think of a twin for the newest attempt."""
        now = self._node.clock.now()
        newest = next(reversed(self._running.values()))
        if move.hedge_after is None or newest[0] is not move or newest[1].is_set():
            return self._done.get()
        try:
            return self._done.get(timeout=max(0.0, self._node.clock.wall(move.at + move.hedge_after - now)))
        except Empty:
            return None

    def _hedge(self, move: Send) -> Send:
        """Start a twin when the mind wants one; returns the newest attempt, which may be hedged in its turn."""
        _, token = self._running[next(reversed(self._running))]
        twin = None if token.is_set() else self._mind.hedge(self._node.clock.now(), move)
        if twin is None:
            return Send(move.at, move.provider, move.timeout)
        self._node.wait_until(twin.at)
        self._start(twin)
        return twin

    def _hang_up(self) -> None:
        left = list(self._running.items())
        gevent.killall([racer for racer, _ in left])
        for _, (move, _) in left:
            self._mind.beside(self._node.clock.now(), Seen("unfinished", move.provider, move.at))
