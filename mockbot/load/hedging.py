"""Hedged requests (Dean and Barroso, "The Tail at Scale"): several attempts for one prompt, the first answer wins."""

from collections.abc import Callable

import gevent
from gevent import Greenlet
from gevent.event import Event
from gevent.queue import Empty, Queue

from mockbot.clients.policy import AttemptResult, ClientPolicy, Send
from mockbot.load.load_generator import LoadGenerator

Attempt = Callable[[Send, Event], AttemptResult]


def hedged_attempt(generator: LoadGenerator, policy: ClientPolicy, send: Attempt, decision: Send) -> AttemptResult:
    """Make the attempt, and every further one that the policy starts beside it.

    `send(decision, first_token)` makes one attempt and sets `first_token` when the first token arrives; an attempt
    that has one is not hedged. Returns the first attempt that was answered, else the last to fail; the policy gets the
    results of all others through `beside`. Attempts that lose are cancelled and recorded as `unfinished`.
    """
    clock = generator.clock
    done: Queue[Greenlet] = Queue()
    running: dict[Greenlet, tuple[Send, Event]] = {}  # in the order of their start

    def start(decision: Send) -> Event:
        first_token = Event()
        greenlet = gevent.spawn(send, decision, first_token)
        running[greenlet] = (decision, first_token)
        greenlet.link(done.put)
        return first_token

    try:
        first_token = start(decision)  # of the newest attempt, which alone may be hedged
        hedge_after = decision.hedge_after
        while True:
            # None waits for ever: nothing more is sent until an attempt is over.
            wait = None
            if hedge_after is not None and not first_token.is_set():
                wait = max(0.0, clock.wall(decision.at + hedge_after - clock.now()))
            try:
                finished = done.get(timeout=wait)
            except Empty:
                # The token may have come between the end of the wait and this line.
                hedge = None if first_token.is_set() else policy.hedge(clock.now(), decision)
                if hedge is None:
                    hedge_after = None
                    continue
                generator.wait_until(hedge.at)
                decision, hedge_after = hedge, hedge.hedge_after
                first_token = start(decision)
                continue
            if running.pop(finished)[0] is decision:  # the newest is over, and the older ones have had their turn
                hedge_after = None
            result: AttemptResult = finished.get()
            if result.outcome == "ok" or not running:
                return result
            policy.beside(clock.now(), result)
    finally:
        left = list(running.items())
        gevent.killall([greenlet for greenlet, _ in left])
        for _, (sent, _) in left:
            policy.beside(clock.now(), AttemptResult("unfinished", sent.provider, sent.at))
