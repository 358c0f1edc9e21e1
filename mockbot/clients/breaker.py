"""Circuit breakers: the results of attempts in, whether the next one may be sent out. Pure.

              trips                       open_for is over                   `probes` ok in a row
    closed ─────────────► open ─────────────────────────────► half-open ───────────────────────────► closed
                            ▲                                     │
                            └───────────── a probe failed ────────┘

While half-open at most `probes` attempts are under way. A probe whose result never comes (its user was removed) stops
counting when its timeout is over. Results of attempts that began before the opening are ignored: they say nothing about
the provider now. `LitellmCooldown` is litellm's substitute, which has no half-open state.
"""

from typing import Protocol

from mockbot.clients.policy import AttemptResult
from mockbot.clients.window import Window


class Breaker(Protocol):
    """`refuses` is asked before an attempt; then `sent`, and `record` or `dropped` when it is over."""

    def refuses(self, now: float) -> bool:
        """Would an attempt be refused now?"""

    def sent(self, until: float) -> None:
        """An attempt that was not refused is sent; it is over at `until` at the latest."""

    def record(self, now: float, result: AttemptResult, *, ok: bool) -> None:
        """The result of an attempt; `ok`: not a failure of the provider (`failures.blames_provider`)."""

    def dropped(self, result: AttemptResult) -> None:
        """An attempt was abandoned by the client, which says nothing about the provider."""


class Trip(Protocol):
    """When a closed breaker opens."""

    def record(self, now: float, *, ok: bool) -> bool:
        """Count a result; True: open now."""

    def clear(self) -> None:
        """Forget what was counted."""


class Consecutive:
    """Opens after `failures` in a row."""

    def __init__(self, failures: int) -> None:
        self._most = failures
        self._row = 0

    def record(self, now: float, *, ok: bool) -> bool:  # noqa: ARG002 - as Trip.record
        """A success starts the count again."""
        self._row = 0 if ok else self._row + 1
        return self._row >= self._most

    def clear(self) -> None:
        """Count from 0."""
        self._row = 0


class Windowed:
    """Opens when more than `share` of the results of the last `window` seconds are failures, of at least `at_least`."""

    def __init__(self, share: float, window: float, at_least: int) -> None:
        self._share, self._at_least = share, at_least
        self._window = Window(window)

    def record(self, now: float, *, ok: bool) -> bool:
        """Count, then compare."""
        self._window.add(now, asked=1.0, got=0.0 if ok else 1.0)
        results, failures = self._window.asked, self._window.got
        return not ok and results >= self._at_least and failures > self._share * results

    def clear(self) -> None:
        """An empty window."""
        self._window.clear()


class CircuitBreaker:
    """The breaker of one client process for one provider."""

    def __init__(self, trip: Trip, open_for: float, probes: int) -> None:
        self._trip = trip
        self._open_for = open_for
        self._most_probes = probes
        self._opened: float | None = None  # None: closed
        self._probes: list[float] = []  # when each probe under way is over at the latest
        self._ok = 0

    def refuses(self, now: float) -> bool:
        """Would an attempt be refused now? Asking only forgets probes that are over."""
        if self._opened is None:
            return False
        if now < self._opened + self._open_for:
            return True
        self._probes = [end for end in self._probes if end > now]
        return len(self._probes) >= self._most_probes

    def sent(self, until: float) -> None:
        """An attempt that was not refused is sent; it is over at `until` at the latest."""
        if self._opened is not None:
            self._probes.append(until)

    def record(self, now: float, result: AttemptResult, *, ok: bool) -> None:
        """A result: counted when closed, decisive when it is a probe's."""
        if self._opened is None:
            if self._trip.record(now, ok=ok):
                self._open(now)
        elif self._was_probe(result) and not ok:
            self._open(now)
        elif self._was_probe(result):
            self._probes = self._probes[1:]
            self._ok += 1
            if self._ok >= self._most_probes:
                self._opened = None
                self._trip.clear()

    def dropped(self, result: AttemptResult) -> None:
        """A probe that was abandoned counts no longer."""
        if self._was_probe(result):
            self._probes = self._probes[1:]

    def _was_probe(self, result: AttemptResult) -> bool:
        return self._opened is not None and result.started >= self._opened + self._open_for

    def _open(self, now: float) -> None:
        self._opened = now
        self._probes, self._ok = [], 0


class LitellmCooldown:
    """litellm's Router, for one deployment of several: 5 s off after a 429 (or 401, 402, 404, 408), or when more than
    half of at least 5 requests of the last minute failed. Failures to connect never count. Then it is used as before.
    """

    def __init__(self) -> None:
        self._until = float("-inf")
        self._minute = Window(60.0)

    def refuses(self, now: float) -> bool:
        """Whether it cools down."""
        return now < self._until

    def sent(self, until: float) -> None:
        """Changes nothing."""

    def record(self, now: float, result: AttemptResult, *, ok: bool) -> None:
        """Some statuses cool down at once, others by their share."""
        if result.outcome in {"refused", "tls_error", "reset", "closed"}:
            return
        self._minute.add(now, asked=1.0, got=0.0 if ok else 1.0)
        mostly_failed = self._minute.asked >= 5 and self._minute.got > self._minute.asked / 2
        if result.status in {401, 402, 404, 408, 429} or (not ok and mostly_failed):
            self._until = now + 5.0

    def dropped(self, result: AttemptResult) -> None:
        """Changes nothing."""
