"""What one client process knows of one provider: a budget, a breaker and a throttle, each of which may be absent. Pure.

The rule: they learn only from what is the provider's doing. A request that was wrong in itself (400, 401, 404) was
accepted; an attempt that the client abandoned for its twin says nothing.
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
    """Asked before an attempt, told of its result."""

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

    def saw(self, now: float, seen: AttemptResult) -> None:
        """An attempt is over."""
        if seen.outcome == "unfinished":
            if self.breaker is not None:
                self.breaker.dropped(seen)
            return
        ok = not blames_provider(seen)
        if self.budget is not None:
            self.budget.succeeded(now) if ok else self.budget.failed(now)
        if self.breaker is not None:
            self.breaker.saw(now, seen, ok=ok)
        if self.throttle is not None and ok:
            self.throttle.accepted(now)
