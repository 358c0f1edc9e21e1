"""How far a master's monotonic clock is from that of a worker on another machine: pings in, an offset out.

    worker ── CLOCK {sent} ──► master ── CLOCK {sent, here} ──► worker        offset = here - (sent + received) / 2

The exchange with the shortest round trip counts (the clock filter of NTP, RFC 5905 section 10): the offset is wrong by
at most half of it.
"""

from math import inf
from typing import Any

import gevent
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from mockbot.clock import monotonic

CLOCK = "mockbot.clock"
PINGS, PAUSE = 10, 0.1  # how many, and wall seconds between two


class ClockOffset:
    """A worker's side. `seconds`: the master's reading minus this one's at the same moment; None until an answer."""

    def __init__(self, runner: WorkerRunner) -> None:
        self.seconds: float | None = None
        self._runner, self._shortest = runner, inf
        runner.register_message(CLOCK, self._take)
        gevent.spawn(self._ping)

    def _ping(self) -> None:
        for _ in range(PINGS):
            self._runner.send_message(CLOCK, {"sent": monotonic()})
            gevent.sleep(PAUSE)

    def _take(self, msg: Message, **_: Any) -> None:
        received, sent = monotonic(), msg.data["sent"]
        if received - sent < self._shortest:
            self._shortest, self.seconds = received - sent, msg.data["here"] - (sent + received) / 2


def answer_pings(master: MasterRunner) -> None:
    """The master's side."""

    def answer(msg: Message, **_: Any) -> None:
        master.send_message(CLOCK, {"sent": msg.data["sent"], "here": monotonic()}, client_id=msg.node_id)

    master.register_message(CLOCK, answer)
