"""The state of one client process about one provider: a budget, a breaker and a throttle, each optional. Pure.

The rule: only what the provider caused counts as its failure. A request that was wrong in itself (400, 401, 404) was
accepted; an attempt that the client abandoned for its twin is not counted.
"""

from dataclasses import dataclass
from random import Random

from mockbot.clients.breaker import Breaker
from mockbot.clients.budgets import RetryBudget
from mockbot.clients.failures import blames_provider
from mockbot.clients.policy import AttemptResult
from mockbot.clients.throttle import AdaptiveThrottle


@dataclass(frozen=True, slots=True)
class ProviderGuard:
    """`refuses` is asked before an attempt, `record` called when it is over."""

    budget: RetryBudget | None = None
    breaker: Breaker | None = None
    throttle: AdaptiveThrottle | None = None

    def is_open(self, now: float) -> bool:
        """Does the breaker refuse?"""
        return self.breaker is not None and self.breaker.refuses(now)

    def refuses(self, now: float, until: float, rng: Random) -> str | None:
        """Why an attempt that may last to `until` must not be sent, for people; None: it is sent."""
        if self.is_open(now):
            return "circuit open"
        if self.throttle is not None and not self.throttle.admits(now, rng):
            return "throttled"
        if self.breaker is not None:
            self.breaker.sent(until)
        return None

    def asked(self, now: float) -> None:
        """A prompt's first attempt here."""
        if self.budget is not None:
            self.budget.asked(now)

    def affords(self, now: float) -> bool:
        """May the client send one more retry, or a hedge, here?"""
        return self.budget is None or self.budget.afford(now)

    def record(self, now: float, result: AttemptResult) -> None:
        """An attempt is over."""
        if result.outcome == "unfinished":
            if self.breaker is not None:
                self.breaker.dropped(result)
            return
        ok = not blames_provider(result)
        if self.budget is not None:
            self.budget.succeeded(now) if ok else self.budget.failed(now)
        if self.breaker is not None:
            self.breaker.record(now, result, ok=ok)
        if self.throttle is not None and ok:
            self.throttle.accepted(now)
