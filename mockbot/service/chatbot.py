"""One provider without I/O: faults, limits and capacity together. Requests in, answers or refusals out.

    failed = chatbot.edge(caller, endpoint, now)              Failed | None      before the request is read
    outcome = chatbot.admit(caller, endpoint, mark, now)      Answer | Refused   counted as offered, once
    outcome = chatbot.ask(caller, endpoint, mark, now)        both, for a caller without request bodies (a simulator)
    chatbot.capacity.leave(answer, now) ... advance(now)      see capacity.py; an Answer is its Job

Every request is counted once, as failed (a fault answered it), refused or admitted. A fault is `felt` when it changed
something; for faults within an answer only its delivery can know that, and calls `chatbot.felt`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mockbot.dialects.client_identity import FREE
from mockbot.dialects.dialect import Allowance, Reason
from mockbot.scenario.answer_law import Pace, pace_of
from mockbot.scenario.schema import Provider
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.active_faults import ActiveFaults, Failed, Step
from mockbot.service.answer_text import length
from mockbot.service.capacity import Capacity
from mockbot.service.job import Job, Queued, Refused
from mockbot.service.limits import Limiter
from mockbot.service.per_second_stats import PerSecondStats


class Caller(NamedTuple):
    """The client: its API key, and the tier that the key names."""

    key: str
    tier: str = FREE


class TokenCounts(NamedTuple):
    """The token counts that a request asks for; `exactly` is set when a schema prescribes its answer's content."""

    at_most: int | None = None
    exactly: int | None = None
    prompt_tokens: int = 0


UNSPECIFIED = TokenCounts()


class Answer(Job):
    """A Job that knows its number of tokens, their pace, and the faults within it."""

    __slots__ = ("allowances", "mark", "pace", "stream_faults", "tokens", "wanted")

    def __init__(
        self, caller: Caller, mark: int, tokens: int, wanted: int, pace: Pace, stream_faults: tuple[Step, ...]
    ) -> None:
        Job.__init__(self, pace.work(tokens), caller.tier)
        self.mark, self.tokens, self.wanted, self.pace, self.stream_faults = mark, tokens, wanted, pace, stream_faults
        self.allowances: tuple[Allowance, ...] = ()

    @property
    def cut_short(self) -> bool:
        """Whether the client's own maximum ended it."""
        return self.tokens < self.wanted

    def moment(self, token: int) -> float:
        """When token k = 1, 2, ... of an ended answer was due; exact unless answers shared slots meanwhile."""
        return self.begun + (self.ended - self.begun) * (self.pace.at(token) / self.work if self.work else 1.0)


class Chatbot:
    """One provider. `capacity` and `stats` are for reading."""

    def __init__(self, name: str, provider: Provider, seed: int, now: float = 0.0) -> None:
        self.name, self.provider, self.seed = name, provider, seed
        self.stats = PerSecondStats(name, now)
        self.capacity = Capacity(provider, self.stats, now=now)
        self.faults = ActiveFaults(seed, name)
        self._requests = {tier: Limiter(rate) for tier, rate in provider.limits.items()}
        self._tokens = {tier: Limiter(rate, "tokens") for tier, rate in provider.token_limits.items()}
        # Of answers that are not made here: `first` is what `slow` adds, `per_token` its factor.
        self._pace = pace_of(provider.answer) if provider.makes_answers else Pace(0.0, 1.0)
        self._crash: tuple[str, float] | None = None  # id of the fault, seconds to warm up after it
        self._lost = 0

    def as_replica(self, number: int) -> None:
        """Chance of its own, so that a fault's share does not hit the same requests of each; equal keys stay equal."""
        self.faults = ActiveFaults(self.seed, f"{self.name}/{number}")

    @property
    def down(self) -> bool:
        """Whether it has crashed."""
        return not self.capacity.alive

    def set_faults(self, faults: Sequence[ActiveFault], now: float) -> None:
        """Exactly these service faults hold from now on. A crash begins and ends here too."""
        self.capacity.catch_up(now)
        self.faults.set(faults)
        if self.faults.crash is not None:
            crash, crashed = self.faults.crash
            if self._crash is None:
                self._lost = len(self.capacity.crash(now))
                self.felt(crash.id, now, times=self._lost)
            self._crash = crash.id, crashed.warm_up
        elif self._crash is not None:
            self.capacity.restart(self._crash[1], now)
            self._crash = None
        self.capacity.resize(self.faults.slopes(), now)

    def felt(self, fault: str, now: float, times: int = 1) -> None:
        """Count requests that this fault affected."""
        self.capacity.catch_up(now)
        for _ in range(times):
            self.stats.hit(fault)

    def asked_for(self, unserved: str, now: float) -> None:
        """Count a request for what is not served: a key of `mockbot.evidence.unserved`."""
        self.capacity.catch_up(now)
        self.stats.asked_for(unserved)

    def connections_reset(self, times: int, now: float) -> None:
        """Count connections that the crash reset; those with running requests were counted by `set_faults`."""
        if self._crash is not None:
            self.felt(self._crash[0], now, times=max(0, times - self._lost))

    # -- requests ------------------------------------------------------------------------------------------------

    def edge(self, caller: Caller, endpoint: str, now: float, counts: bool = True) -> Failed | None:
        """The fault that answers this request before it is read; `counts` is false for requests that need no slot."""
        if not self.faults.edge:
            return None
        failed = self.faults.at_the_edge(now, caller.tier, caller.key, endpoint)
        if failed is not None:
            self.capacity.catch_up(now)
            self.stats.hit(failed.fault)
            self.stats.offered += counts
            self.stats.failed += counts
        return failed

    def admit(
        self, caller: Caller, endpoint: str, mark: int, now: float, counts: TokenCounts = UNSPECIFIED
    ) -> Answer | Refused:
        """A slot or a place in the queue for a request that passed the edge, or the reason of its refusal."""
        wanted = length(self.provider.answer, mark) if counts.exactly is None else counts.exactly
        tokens = wanted if counts.at_most is None else max(1, min(wanted, counts.at_most))
        allowances = self._allowances(caller, now, counts.prompt_tokens + tokens)
        for allowance in allowances:
            if allowance.wait:
                self._offered(now)
                if allowance.never:
                    return self.capacity.refuse("too_large", None, allowances)
                reason: Reason = "rate_limited" if allowance.unit == "requests" else "token_limited"
                return self.capacity.refuse(reason, allowance.wait, allowances)
        if self.faults.shed and (shed := self.faults.shed_by(now, caller.tier, caller.key, endpoint)):
            self._offered(now)
            self.stats.hit(shed)
            return self.capacity.refuse("shed", self.provider.retry_after, allowances)
        answer = self._answer(caller, endpoint, mark, now, tokens, wanted)
        answer.allowances = allowances
        decision = self.capacity.ask(answer, now)
        self.stats.offered += 1
        if self.faults.capacity and type(decision) in (Queued, Refused) and self.capacity.reduced:
            for fault, _ in self.faults.capacity:
                self.stats.hit(fault.id)
        return decision if isinstance(decision, Refused) else answer

    def _allowances(self, caller: Caller, now: float, cost: int) -> tuple[Allowance, ...]:
        """The state of the caller's limits; both are charged or neither."""
        requests, tokens = self._requests.get(caller.tier), self._tokens.get(caller.tier)
        if requests is None:
            return () if tokens is None else (tokens.take(caller.key, now, cost),)
        if tokens is None:
            return (requests.take(caller.key, now),)
        looked = requests.take(caller.key, now, really=False), tokens.take(caller.key, now, cost, really=False)
        if looked[0].wait or looked[1].wait:
            return looked
        return requests.take(caller.key, now), tokens.take(caller.key, now, cost)

    def _answer(self, caller: Caller, endpoint: str, mark: int, now: float, tokens: int, wanted: int) -> Answer:
        stream_faults = self.faults.stream_faults(now, caller.tier, caller.key, endpoint) if self.faults.within else ()
        slow = self.faults.slowness(now, caller.tier, caller.key, endpoint) if self.faults.slow else None
        pace = self._pace
        if slow is not None:
            pace = Pace(pace.first * slow.factor + slow.added, pace.per_token * slow.factor)
        answer = Answer(caller, mark, tokens, wanted, pace, stream_faults)
        if not self.provider.makes_answers:
            answer.work = math.inf
        if slow is not None:
            answer.hits = slow.faults
        return answer

    def _offered(self, now: float) -> None:
        self.capacity.catch_up(now)
        self.stats.offered += 1

    def ask(self, caller: Caller, mark: int, now: float, endpoint: str = "") -> Answer | Refused | Failed:
        """`edge` and `admit` in one call."""
        return self.edge(caller, endpoint, now) or self.admit(caller, endpoint, mark, now)
