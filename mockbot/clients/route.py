"""Where the next attempt goes: fail-over and fail-back between two providers. Pure.

    retry       A fails ─► B fails ─► A ...
    breaker     A while its breaker is not open, else B; A's half-open probe is the way back
    exhausted   all that the policy does at A, then all of it at B
    balance     either one whose breaker is not open, at random (litellm's Router)

In every mode, an attempt whose provider's breaker is open goes to the other one unless that is open too. After a
fail-over, the whole process starts new prompts at the other one for `stay`, or until that one fails.
"""

from collections.abc import Collection, Mapping
from random import Random
from typing import Literal

from mockbot.clients.provider_guard import ProviderGuard

When = Literal["never", "retry", "breaker", "exhausted", "balance"]


class Route:
    """One client process: its guards, by provider (the first one first), and until when it avoids the first one."""

    def __init__(self, guards: Mapping[str, ProviderGuard], when: When, failures: int = 1, stay: float = 0.0) -> None:
        self.guards = guards
        self._providers = tuple(guards)
        self._when = when if len(guards) > 1 else "never"
        self._failures, self._stay = failures, stay
        self._away_until = float("-inf")

    def first(self, now: float, rng: Random) -> str:
        """Where a new prompt begins."""
        if self._when == "balance":
            return rng.choice(self._providers)
        return self._providers[1] if now < self._away_until else self._providers[0]

    def again(self, now: float, failed: str, failures: int, rng: Random) -> str:
        """Where to try again after `failures` in a row at `failed`."""
        match self._when:
            case "retry":
                return self._turn(now, failed) if failures >= self._failures else failed
            case "balance" | "breaker":
                return self.first(now, rng)
            case "never" | "exhausted":
                return failed

    def last_resort(self, now: float, given_up: str, tried: Collection[str]) -> str | None:
        """Where to begin again when every attempt at `given_up` failed; None: nowhere."""
        if self._when != "exhausted":
            return None
        other = self._turn(now, given_up)
        return None if other in tried else other

    def usable(self, now: float, planned: str) -> str:
        """`planned`, or the other one when only the breaker of `planned` is open."""
        if not self.guards[planned].is_open(now):
            return planned
        other = next((name for name in self._providers if not self.guards[name].is_open(now)), planned)
        return other if other == planned else self._turn(now, planned)

    def _turn(self, now: float, failed: str) -> str:
        """From `failed` to the other one: away from the first provider for `stay`, or back to it."""
        first, other = self._providers
        self._away_until = now + self._stay if failed == first else float("-inf")
        return other if failed == first else first
