"""So many requests and so many tokens per API key, refilled continuously: a key and `now` in, a true wait out. Pure.

A token bucket per key: it holds one minute's worth (at least one request), as the providers' per-minute limits do, and
refills at the limit's rate in scenario time. `Retry-After` is exactly the time until the same request would pass.
"""

from dataclasses import dataclass

_MINUTE = 60.0
_SWEEP = 10_000  # keys


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left: `limit` and `remaining` in requests (or tokens), `reset` seconds until it is full again."""

    limit: int
    remaining: int
    reset: float
    wait: float = 0.0  # > 0: this one was not allowed; so many seconds until it would be


class Limiter:
    """One rate, any number of keys. A key that was never seen, or has filled up again, takes no memory."""

    __slots__ = ("_buckets", "_rate", "_size")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate * _MINUTE)
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> level at a moment

    def take(self, key: str, now: float, cost: float = 1.0) -> Allowance:
        """Take `cost` when it is there; otherwise take nothing and say how long to wait."""
        level = self._level(key, now)
        if level < cost - 1e-9:
            wait = (min(cost, self._size) - level) / self._rate
            return self._allowance(level, max(wait, 1e-9))
        self._buckets[key] = (level - cost, now)
        if len(self._buckets) > _SWEEP:
            self._sweep(now)
        return self._allowance(level - cost, 0.0)

    def fits(self, cost: float) -> bool:
        """False: this can never pass, however long one waits."""
        return cost <= self._size

    def _level(self, key: str, now: float) -> float:
        level, since = self._buckets.get(key, (self._size, now))
        return min(self._size, level + max(0.0, now - since) * self._rate)

    def _allowance(self, level: float, wait: float) -> Allowance:
        return Allowance(int(self._size), int(level + 1e-9), (self._size - level) / self._rate, wait)

    def _sweep(self, now: float) -> None:
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if self._level(key, now) < self._size}
