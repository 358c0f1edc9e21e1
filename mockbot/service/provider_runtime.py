"""Drive one Chatbot on the running event loop: scenario seconds inside, wall seconds for its timer.

One timer per provider fires at the chatbot's next event. A coroutine that waits for an answer sets an Alarm as the
answer's `owner`; the Alarm is woken when the answer's state changes.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence

from mockbot.clock import Clock, monotonic
from mockbot.dialects.dialect import UNCACHED, CacheUse, Prefix
from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.unserved import Kind, key_of
from mockbot.http_server.response_writer import ResponseWriter
from mockbot.scenario.model_names import serves
from mockbot.scenario.schema import Provider
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.active_faults import Failed
from mockbot.service.chatbot import UNSPECIFIED, Answer, Caller, Chatbot, TokenCounts
from mockbot.service.job import Job, Refused
from mockbot.service.own_answers import OwnAnswers
from mockbot.service.prometheus_counters import PrometheusCounters
from mockbot.service.prompt_cache import PromptCache
from mockbot.service.request_body import RequestBodies
from mockbot.service.sleep_grid import Alarm, Ticker
from mockbot.service.stored_responses import StoredResponses
from mockbot.upstream.exchange import Source

_LATE = 3600.0  # scenario seconds: how long before now per-second statistics may begin, when a run's t0 is set late
_SHORTEST = 0.001  # wall seconds; event loops count in milliseconds


class ProviderRuntime:
    """One provider of a running service."""

    def __init__(
        self, name: str, provider: Provider, seed: int, clock: Clock, bodies: RequestBodies, source: Source | None,
        replica: int = 0,
    ) -> None:  # fmt: skip
        self._replica = replica  # of the provider, from 1; 0: it is one process
        self.source = source  # of answers that are not made here
        self.name, self.provider, self._seed, self.bodies = name, provider, seed, bodies
        self.serves = serves(provider.models)
        self.own_answers = OwnAnswers(name, provider.answers) if provider.answers else None
        self._set(clock)
        self.chatbot = self._new_chatbot()
        self._loop = asyncio.get_running_loop()
        self.counters, self._cache, self.stored = PrometheusCounters(), PromptCache(), StoredResponses()
        self.ticker, self.writer = Ticker(self._loop), ResponseWriter(self._loop)
        self._timer: asyncio.TimerHandle | None = None
        self._fires = math.inf

    def _set(self, clock: Clock) -> None:
        self.clock, self._origin, self._speed = clock, clock.origin, clock.speed

    def now(self) -> float:
        """Scenario seconds; never before second 0."""
        now = (monotonic() - self._origin) * self._speed
        return now if now > 0.0 else 0.0

    def restart(self, clock: Clock) -> None:
        """A new run begins: the old one's requests and stored responses are lost, its statistics and limits reset."""
        self.chatbot.capacity.crash(self.now())
        self.catch_up()
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._fires = None, math.inf
        self.counters, self._cache, self.stored = PrometheusCounters(), PromptCache(), StoredResponses()
        self._set(clock)
        self.chatbot = self._new_chatbot()

    def _new_chatbot(self) -> Chatbot:
        chatbot = Chatbot(self.name, self.provider, self._seed, max(0.0, self.now() - _LATE))
        if self._replica:
            chatbot.as_replica(self._replica)
        return chatbot

    def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these service faults hold from now on."""
        self.chatbot.set_faults(faults, self.now())
        self.catch_up()

    def edge(self, caller: Caller, endpoint: str, counts: bool = True) -> Failed | None:
        """As `Chatbot.edge`."""
        return self.chatbot.edge(caller, endpoint, self.now(), counts) if self.chatbot.faults.edge else None

    def admit(self, caller: Caller, endpoint: str, mark: int, counts: TokenCounts = UNSPECIFIED) -> Answer | Refused:
        """As `Chatbot.admit`; an answer that takes no time is complete at once."""
        outcome = self.chatbot.admit(caller, endpoint, mark, self.now(), counts)
        self._go_on(self.chatbot.capacity.apply_due(self.now()))
        return outcome

    def cache_use(self, prefixes: tuple[Prefix, ...]) -> CacheUse:
        """As `PromptCache.use`."""
        return self._cache.use(prefixes, self.now()) if prefixes else UNCACHED

    def leave(self, answer: Answer) -> None:
        """The client has gone."""
        self.chatbot.capacity.leave(answer, self.now())
        self.catch_up()

    def finish(self, answer: Answer) -> None:
        """An answer of unknown length is complete."""
        self.chatbot.capacity.finish(answer, self.now())
        self.catch_up()

    def catch_up(self) -> None:
        """Apply everything due by now, wake the coroutines that wait for it, and set the timer to the next event."""
        self._go_on(self.chatbot.capacity.advance(self.now()))

    def _go_on(self, changed: Sequence[Job]) -> None:
        for job in changed:
            if isinstance(job.owner, Alarm):
                job.owner.wake()
        at = self.chatbot.capacity.next_event()
        if at < self._fires:  # a timer that fires early is harmless, so a later event leaves it as it is
            if self._timer is not None:
                self._timer.cancel()
            self._fires = at
            self._timer = self._loop.call_later(max(_SHORTEST, self.clock.wall(at - self.clock.now())), self._fire)

    def connections_reset(self, times: int) -> None:
        """As `Chatbot.connections_reset`."""
        self.chatbot.connections_reset(times, self.now())

    def felt(self, fault: str) -> None:
        """As `Chatbot.felt`, for one request."""
        self.chatbot.felt(fault, self.now())

    def asked_for(self, kind: Kind, name: str) -> None:
        """Count a request for a parameter, URL or model that is not served."""
        self.chatbot.asked_for(key_of(kind, name), self.now())

    def seconds(self, since: int) -> Iterator[ServiceSecond]:
        """The complete seconds from `since` on."""
        self.catch_up()
        return self.chatbot.stats.seconds(since)

    def _fire(self) -> None:
        self._timer, self._fires = None, math.inf
        self.catch_up()
