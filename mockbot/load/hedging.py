"""Hedged requests (Dean and Barroso, "The Tail at Scale"): several attempts for one prompt, the first answer wins.

`send(decision, first_token)` makes one attempt and sets `first_token` when the first token arrives; an attempt that
has one is not hedged. Attempts that lose are cancelled and recorded as `unfinished`.
"""

from collections.abc import Callable

import gevent
from gevent import Greenlet
from gevent.event import Event
from gevent.queue import Empty, Queue

from mockbot.clients.policy import AttemptResult, ClientPolicy, Send
from mockbot.load.load_generator import LoadGenerator

Attempt = Callable[[Send, Event], AttemptResult]


class HedgedAttempt:
    """One Send with `hedge_after`, and every further attempt that the policy starts beside it. Use once."""

    def __init__(self, generator: LoadGenerator, policy: ClientPolicy, send: Attempt) -> None:
        self._generator = generator
        self._policy = policy
        self._send = send
        self._done: Queue[Greenlet] = Queue()
        self._running: dict[Greenlet, tuple[Send, Event]] = {}  # in the order of their start

    def run(self, decision: Send) -> AttemptResult:
        """The result of the first attempt that was answered, else of the last to fail.

        The policy learns the results of all others through `beside`.
        """
        clock = self._generator.clock
        try:
            self._start(decision)
            while True:
                finished = self._next_finished(decision)
                if finished is None:
                    decision = self._hedge(decision)
                    continue
                del self._running[finished]
                result: AttemptResult = finished.get()
                if result.outcome == "ok" or not self._running:
                    return result
                self._policy.beside(clock.now(), result)
        finally:
            left = list(self._running.items())
            gevent.killall([greenlet for greenlet, _ in left])
            for _, (sent, _) in left:
                self._policy.beside(clock.now(), AttemptResult("unfinished", sent.provider, sent.at))

    def _start(self, decision: Send) -> None:
        first_token = Event()
        greenlet = gevent.spawn(self._send, decision, first_token)
        self._running[greenlet] = (decision, first_token)
        greenlet.link(self._done.put)

    def _next_finished(self, decision: Send) -> Greenlet | None:
        """Wait for an attempt to finish; None when the newest one has been without a token for `hedge_after`."""
        now = self._generator.clock.now()
        newest, first_token = next(reversed(self._running.values()))
        if decision.hedge_after is None or newest is not decision or first_token.is_set():
            return self._done.get()
        try:
            wait = self._generator.clock.wall(decision.at + decision.hedge_after - now)
            return self._done.get(timeout=max(0.0, wait))
        except Empty:
            return None

    def _hedge(self, decision: Send) -> Send:
        """Start another attempt if the policy wants one. Returns the newest attempt, which may be hedged too."""
        _, first_token = self._running[next(reversed(self._running))]
        hedge = None if first_token.is_set() else self._policy.hedge(self._generator.clock.now(), decision)
        if hedge is None:
            return Send(decision.at, decision.provider, decision.timeout)
        self._generator.wait_until(hedge.at)
        self._start(hedge)
        return hedge
