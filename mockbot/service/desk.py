"""Drive one Chatbot on the running event loop: scenario seconds inside, wall seconds only where something waits.

One timer per provider sleeps until the chatbot's next event; whoever waits for an answer has an Alarm as its `owner`,
and is woken when the answer's state has changed.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence

from mockbot.clock import Clock
from mockbot.evidence.records import ServiceSecond
from mockbot.scenario.schema import Provider
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.capacity import Job, Refused
from mockbot.service.chatbot import ANYTHING, Answer, Caller, Chatbot, Wish
from mockbot.service.faults import Failed
from mockbot.service.sending import Outbox
from mockbot.service.sleep import Alarm, Ticker
from mockbot.service.tally import Tally

_LATE = 3600.0  # scenario seconds: how far back the account of a run begins whose t0 is told late
_SHORTEST = 0.001  # wall seconds; event loops count in milliseconds


class Desk:
    """One provider at work."""

    def __init__(self, name: str, provider: Provider, seed: int, clock: Clock) -> None:
        self.name, self._provider, self._seed = name, provider, seed
        self._set(clock)
        self.chatbot = Chatbot(name, provider, seed, max(0.0, clock.now() - _LATE))
        self._loop = asyncio.get_running_loop()
        self.tally = Tally()
        self.ticker, self.outbox = Ticker(self._loop), Outbox(self._loop)
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf

    def _set(self, clock: Clock) -> None:
        self.clock, self._t0, self._speed = clock, clock.t0, clock.speed

    def now(self) -> float:
        """Scenario seconds; never before t0."""
        now = (time.time() - self._t0) * self._speed
        return now if now > 0.0 else 0.0

    def restart(self, clock: Clock) -> None:
        """A new run begins: the old one's requests are lost, its seconds and limits forgotten."""
        self.chatbot.capacity.crash(self.now())
        self._tell()
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed = None, math.inf
        self._set(clock)
        self.chatbot = Chatbot(self.name, self._provider, self._seed, max(0.0, self.now() - _LATE))

    def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these service faults hold from now on."""
        self.chatbot.set_faults(faults, self.now())
        self._tell()

    def edge(self, caller: Caller, endpoint: str, counts: bool = True) -> Failed | None:
        """As `Chatbot.edge`."""
        return self.chatbot.edge(caller, endpoint, self.now(), counts) if self.chatbot.board.edge else None

    def admit(self, caller: Caller, endpoint: str, mark: int, wish: Wish = ANYTHING) -> Answer | Refused:
        """As `Chatbot.admit`; an answer that takes no time is complete at once."""
        outcome = self.chatbot.admit(caller, endpoint, mark, self.now(), wish)
        self._tell()
        return outcome

    def leave(self, answer: Answer) -> None:
        """The client has gone."""
        self.chatbot.capacity.leave(answer, self.now())
        self._tell()

    def look(self) -> None:
        """Let everything due by now happen."""
        self._tell()

    def connections_reset(self, times: int) -> None:
        """A crash has reset so many connections."""
        self.chatbot.connections_reset(times, self.now())

    def felt(self, fault: str) -> None:
        """A fault has really hit a request."""
        self.chatbot.felt(fault, self.now())

    def seconds(self, since: int) -> Iterator[ServiceSecond]:
        """The complete seconds from `since` on."""
        self._tell()
        return self.chatbot.ledger.seconds(since)

    def _tell(self) -> None:
        capacity, now = self.chatbot.capacity, self.now()
        for job in capacity.advance(now):
            _wake(job)
        self._arm(capacity.next_event())

    def _arm(self, at: float) -> None:
        """Be woken at this scenario second at the latest; a timer that fires too early only looks again."""
        if at >= self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = at
        self._timer = self._loop.call_later(max(_SHORTEST, self.clock.wall(at - self.clock.now())), self._fire)

    def _fire(self) -> None:
        self._timer, self._armed = None, math.inf
        self._tell()


def _wake(job: Job) -> None:
    if isinstance(job.owner, Alarm):
        job.owner.wake()
