"""One provider without I/O: faults, limits, slots and answers behind one door. Requests in, answers or refusals out.

    failed = chatbot.edge(caller, endpoint, now)              Failed | None      before the request is read
    outcome = chatbot.admit(caller, endpoint, mark, now)      Answer | Refused   counted as offered, once
    outcome = chatbot.ask(caller, endpoint, mark, now)        both, for whoever does not read bodies (a simulator)
    chatbot.capacity.leave(answer, now) ... advance(now)      as capacity.py says; an Answer is its Job

Every request ends up in the ledger as exactly one of failed (a fault answered it), refused or let in; a fault is
`felt` when it has really changed something, and for the flaws of an answer that is known only to whoever delivers it:
`chatbot.felt`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mockbot.faults.union import Crash
from mockbot.scenario.schema import Provider
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.capacity import Capacity, Job, Queued, Refused
from mockbot.service.faults import Failed, FaultBoard, Flaw, Slowness
from mockbot.service.ledger import Ledger
from mockbot.service.limits import Allowance, Limiter
from mockbot.service.reply import Pace, length

CHAT = "/v1/chat/completions"


class Caller(NamedTuple):
    """Who asks: the API key, and the tier that it says it has."""

    key: str
    tier: str = "free"


class Wish(NamedTuple):
    """What a request says about its answer's length: a maximum, or (its content being prescribed) exactly so many
    tokens.
    """

    at_most: int | None = None
    exactly: int | None = None
    prompt_tokens: int = 0


ANYTHING = Wish()


class Answer(Job):
    """An answer in the making: a Job that knows its words' number and pace, and what will go wrong within it."""

    __slots__ = ("allowances", "flaws", "mark", "pace", "tokens", "wanted")

    def __init__(
        self, caller: Caller, mark: int, tokens: int, wanted: int, pace: Pace, flaws: tuple[Flaw, ...]
    ) -> None:
        Job.__init__(self, pace.work(tokens), caller.tier)
        self.mark, self.tokens, self.wanted, self.pace, self.flaws = mark, tokens, wanted, pace, flaws
        self.allowances: tuple[Allowance, ...] = ()

    @property
    def cut_short(self) -> bool:
        """The client's own maximum ended it."""
        return self.tokens < self.wanted

    def moment(self, token: int) -> float:
        """When token k = 1, 2, ... was out, once the answer has ended; exact unless answers shared slots meanwhile."""
        return self.begun + (self.ended - self.begun) * (self.pace.at(token) / self.work if self.work else 1.0)


class Chatbot:
    """One provider. Read `capacity` and `ledger` freely."""

    def __init__(self, name: str, provider: Provider, seed: int, now: float = 0.0) -> None:
        self.name, self.provider, self.seed = name, provider, seed
        self.ledger = Ledger(name, now)
        self.capacity = Capacity(provider, self.ledger, now=now)
        self.board = FaultBoard(seed, name)
        self._requests = {tier: Limiter(rate) for tier, rate in provider.limits.items()}
        self._tokens = {tier: Limiter(rate, "tokens") for tier, rate in provider.token_limits.items()}
        self._pace = Pace(provider.answer.first_token, 1.0 / provider.answer.pace)
        self._crash: tuple[str, Crash] | None = None
        self._lost = 0

    @property
    def down(self) -> bool:
        """Crashed: nothing listens."""
        return not self.capacity.alive

    def set_faults(self, faults: Sequence[ActiveFault], now: float) -> None:
        """From now on exactly these service faults hold. A crash begins or ends here too."""
        self.capacity.catch_up(now)
        self.board.set(faults)
        crash = self.board.crash
        if crash is not None and isinstance(crash.fault, Crash):
            if self._crash is None:
                self._lost = len(self.capacity.crash(now))
                self.felt(crash.id, now, times=self._lost)
            self._crash = (crash.id, crash.fault)
        elif self._crash is not None:
            self.capacity.restart(self._crash[1].crash.warm_up, now)
            self._crash = None
        self.capacity.resize(self.board.slopes(), now)

    def felt(self, fault: str, now: float, times: int = 1) -> None:
        """So many requests were really affected by this fault."""
        self.capacity.catch_up(now)
        for _ in range(times):
            self.ledger.hit(fault)

    def connections_reset(self, times: int, now: float) -> None:
        """The crash has reset so many connections; those that carried running requests are counted already."""
        if self._crash is not None:
            self.felt(self._crash[0], now, times=max(0, times - self._lost))

    # -- requests ------------------------------------------------------------------------------------------------

    def edge(self, caller: Caller, endpoint: str, now: float, counts: bool = True) -> Failed | None:
        """The fault that answers this request before it is read; `counts`: it asks for an answer, not for a list."""
        if not self.board.edge:
            return None
        failed = self.board.at_the_edge(now, caller.tier, caller.key, endpoint)
        if failed is not None:
            self.capacity.catch_up(now)
            self.ledger.hit(failed.fault)
            self.ledger.offered += counts
            self.ledger.failed += counts
        return failed

    def admit(self, caller: Caller, endpoint: str, mark: int, now: float, wish: Wish = ANYTHING) -> Answer | Refused:
        """A slot or a place in the queue for a request that passed the edge, or why not."""
        wanted = length(self.provider.answer, mark) if wish.exactly is None else wish.exactly
        tokens = wanted if wish.at_most is None else max(1, min(wanted, wish.at_most))
        allowances = self._allowances(caller, now, wish.prompt_tokens + tokens)
        for allowance in allowances:
            if allowance.wait:
                return self._over(allowance, allowances, now)
        if self.board.shed and (shed := self.board.shed_by(now, caller.tier, caller.key, endpoint)):
            self._offered(now)
            self.ledger.hit(shed)
            return self.capacity.refuse("shed", self.provider.retry_after, allowances)
        return self._take_in(self._answer(caller, endpoint, mark, now, tokens, wanted), allowances, now)

    def _allowances(self, caller: Caller, now: float, cost: int) -> tuple[Allowance, ...]:
        """What the caller's limits have left; all of them are charged or none."""
        requests, tokens = self._requests.get(caller.tier), self._tokens.get(caller.tier)
        if requests is None:
            return () if tokens is None else (tokens.take(caller.key, now, cost),)
        if tokens is None:
            return (requests.take(caller.key, now),)
        looked = requests.take(caller.key, now, really=False), tokens.take(caller.key, now, cost, really=False)
        if looked[0].wait or looked[1].wait:
            return looked
        return requests.take(caller.key, now), tokens.take(caller.key, now, cost)

    def _offered(self, now: float) -> None:
        self.capacity.catch_up(now)
        self.ledger.offered += 1

    def _over(self, over: Allowance, allowances: tuple[Allowance, ...], now: float) -> Refused:
        self._offered(now)
        if over.never:
            return self.capacity.refuse("too_large", None, allowances)
        return self.capacity.refuse(
            "rate_limited" if over.unit == "requests" else "token_limited", over.wait, allowances
        )

    def ask(self, caller: Caller, mark: int, now: float, endpoint: str = CHAT) -> Answer | Refused | Failed:
        """The edge and the rest in one call."""
        return self.edge(caller, endpoint, now) or self.admit(caller, endpoint, mark, now)

    def _take_in(self, answer: Answer, allowances: tuple[Allowance, ...], now: float) -> Answer | Refused:
        answer.allowances = allowances
        decision = self.capacity.ask(answer, now)
        self.ledger.offered += 1
        if self.board.capacity and type(decision) in (Queued, Refused) and self.capacity.reduced:
            for fault in self.board.capacity:
                self.ledger.hit(fault.id)
        return decision if isinstance(decision, Refused) else answer

    def _answer(self, caller: Caller, endpoint: str, mark: int, now: float, tokens: int, wanted: int) -> Answer:
        flaws = self.board.flaws(now, caller.tier, caller.key, endpoint) if self.board.within else ()
        slow = self.board.slowness(now, caller.tier, caller.key, endpoint) if self.board.slow else None
        answer = Answer(caller, mark, tokens, wanted, self._pace if slow is None else _slowed(self._pace, slow), flaws)
        if slow is not None:
            answer.hits = slow.faults
        return answer


def _slowed(pace: Pace, slow: Slowness) -> Pace:
    return Pace(pace.first * slow.factor + slow.added, pace.per_token * slow.factor)
