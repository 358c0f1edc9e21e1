"""Rate limits per API key, in requests or tokens: a key and `now` in, what is left and the exact wait out. Pure.

A token bucket per key: it holds one minute's worth (at least one request), as the providers' per-minute limits do, and
refills at the limit's rate in scenario time. `Retry-After` is exactly the time until the same request would pass.
"""

from mockbot.dialects.dialect import Allowance, Unit

_MINUTE = 60.0
_SWEEP = 10_000  # keys


class Limiter:
    """One rate, any number of keys. Full buckets take no memory."""

    __slots__ = ("_buckets", "_rate", "_size", "_unit")

    def __init__(self, rate: float, unit: Unit = "requests") -> None:
        self._rate, self._unit = rate, unit
        self._size = max(1.0, rate * _MINUTE)
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> level at a moment

    def take(self, key: str, now: float, cost: float = 1.0, *, really: bool = True) -> Allowance:
        """Charge `cost` if the bucket holds it and `really` is true; otherwise charge nothing and give the wait."""
        bucket, size = self._buckets.get(key), self._size
        level = size if bucket is None else min(size, bucket[0] + (now - bucket[1]) * self._rate)
        left = level - cost
        if left < -1e-9:  # a wait of exactly `wait` seconds must pass in spite of rounding
            wait = max(1e-9, (min(cost, size) - level) / self._rate)
            reset = (size - level) / self._rate
            return Allowance(self._unit, int(size + 1e-9), int(level + 1e-9), reset, int(cost), wait, cost > size)
        if really:
            self._buckets[key] = (left, now)
            if len(self._buckets) > _SWEEP:  # drop the buckets that are full by now
                self._buckets = {
                    key: (level, at)
                    for key, (level, at) in self._buckets.items()
                    if (size - level) / self._rate - (now - at) > 0
                }
        return Allowance(self._unit, int(size + 1e-9), max(0, int(left + 1e-9)), (size - left) / self._rate, int(cost))
