"""How far a master's monotonic clock is from that of a worker on another machine: pings in, an offset out.

    worker ── CLOCK {sent} ──► master ── CLOCK {sent, here} ──► worker        offset = here - (sent + received) / 2

Of the last exchanges the one with the shortest round trip counts (the clock filter of NTP, RFC 5905 section 10): the
offset is wrong by at most half of it. The pings go on as long as the worker lives, so that a reading at the end of a
run shows by how much the clocks drifted apart meanwhile.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from mockbot.clock import monotonic
from mockbot.evidence.records import ClockReading

CLOCK = "mockbot.clock"
PINGS = 10  # how many are sent at once, and how many of the last ones a reading is made of
PAUSE, LATER = 0.1, 0.5  # wall seconds between two of the first PINGS, and from then on


class ClockOffset:
    """A worker's side."""

    def __init__(self, runner: WorkerRunner, ready: Callable[[ClockReading], None] = lambda _: None) -> None:
        """`ready` gets the reading that the first PINGS make, once."""
        self._runner, self._ready = runner, ready
        self._last: deque[ClockReading] = deque(maxlen=PINGS)
        self._answered = 0
        runner.register_message(CLOCK, self._take)
        gevent.spawn(self._ping)

    @property
    def reading(self) -> ClockReading | None:
        """The best of the last PINGS; None until an answer."""
        return min(self._last, key=lambda each: each.within, default=None)

    def _ping(self) -> None:
        while True:
            self._runner.send_message(CLOCK, {"sent": monotonic()})
            gevent.sleep(PAUSE if self._answered < PINGS else LATER)

    def _take(self, msg: Message, **_: Any) -> None:
        received, sent = monotonic(), msg.data["sent"]
        self._last.append(ClockReading(msg.data["here"] - (sent + received) / 2, (received - sent) / 2))
        self._answered += 1
        if self._answered == PINGS and self.reading is not None:
            self._ready(self.reading)


def answer_pings(master: MasterRunner) -> None:
    """The master's side."""

    def answer(msg: Message, **_: Any) -> None:
        master.send_message(CLOCK, {"sent": msg.data["sent"], "here": monotonic()}, client_id=msg.node_id)

    master.register_message(CLOCK, answer)
