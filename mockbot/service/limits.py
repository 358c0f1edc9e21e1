"""So many requests and so many tokens per API key, refilled continuously: a key and `now` in, a true wait out. Pure.

A token bucket per key: it holds one minute's worth (at least one request), as the providers' per-minute limits do, and
refills at the limit's rate in scenario time. `Retry-After` is exactly the time until the same request would pass.
"""

from dataclasses import dataclass
from typing import Literal

_MINUTE = 60.0
_SWEEP = 10_000  # keys


Unit = Literal["requests", "tokens"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left of a unit: `limit` and `remaining` of it, `reset` seconds until it is full again."""

    unit: Unit
    limit: int
    remaining: int
    reset: float
    cost: int = 1  # what this request asked for
    wait: float = 0.0  # > 0: this one was not allowed; so many seconds until it would be
    never: bool = False  # it will not be, however long one waits


class Limiter:
    """One rate, any number of keys. A key that was never seen, or has filled up again, takes no memory."""

    __slots__ = ("_buckets", "_rate", "_size", "_unit")

    def __init__(self, rate: float, unit: Unit = "requests") -> None:
        self._rate, self._unit = rate, unit
        self._size = max(1.0, rate * _MINUTE)
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> level at a moment

    def look(self, key: str, now: float, cost: float = 1.0) -> Allowance:
        """What would be left after `cost`, or how long to wait for it. Takes nothing."""
        level = self._level(key, now)
        if level >= cost - 1e-9:
            return self._allowance(level - cost, cost)
        wait = max(1e-9, (min(cost, self._size) - level) / self._rate)
        return self._allowance(level, cost, wait, cost > self._size)

    def take(self, key: str, now: float, cost: float = 1.0) -> Allowance:
        """Take `cost` when it is there; otherwise take nothing and say how long to wait."""
        allowance = self.look(key, now, cost)
        if not allowance.wait:
            self._buckets[key] = (self._level(key, now) - cost, now)
            if len(self._buckets) > _SWEEP:
                self._sweep(now)
        return allowance

    def _level(self, key: str, now: float) -> float:
        level, since = self._buckets.get(key, (self._size, now))
        return min(self._size, level + max(0.0, now - since) * self._rate)

    def _allowance(self, level: float, cost: float, wait: float = 0.0, never: bool = False) -> Allowance:
        level = max(0.0, level)
        reset = (self._size - level) / self._rate
        return Allowance(self._unit, int(self._size + 1e-9), int(level + 1e-9), reset, int(cost), wait, never)

    def _sweep(self, now: float) -> None:
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if self._level(key, now) < self._size}
