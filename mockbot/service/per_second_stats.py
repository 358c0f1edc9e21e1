"""One provider's statistics per second: counts and slot-seconds in, `ServiceSecond` records out. Pure.

Rules. Integrals are exact: `move` is called before anything changes, so that `work` is the area under the number of
running answers (Little's law holds on every stretch of seconds: mean running = admitted per second x mean time in a
slot). Requests are conserved: offered = refused + failed + admitted + those that left, were lost or still wait in the
queue. Seconds before t0 are not kept.
"""

from collections import deque
from collections.abc import Iterator

from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.unserved import MOST

_KEPT = 100_000  # seconds: more than a day


class PerSecondStats:
    """The open second's counters, which callers increment directly, and the complete seconds."""

    __slots__ = (
        "_end", "_now", "_past", "abandoned", "admitted", "all_felt", "all_unserved", "all_wasted", "all_work",
        "failed", "felt", "finished", "offered", "provider", "refused", "unserved", "wasted", "work",
    )  # fmt: skip

    def __init__(self, provider: str, now: float = 0.0) -> None:
        self.provider = provider
        self.felt: dict[str, int] = {}
        self.unserved: dict[str, int] = {}
        self._past: deque[ServiceSecond] = deque(maxlen=_KEPT)
        self._now = now
        self._end = max(0, int(now)) + 1
        self.all_felt: dict[str, int] = {}  # in the whole run
        self.all_unserved: dict[str, int] = {}  # the same
        self.all_work = self.all_wasted = 0.0  # in the seconds that are over
        self._clear()

    def _clear(self) -> None:
        self.offered = self.admitted = self.refused = self.failed = self.finished = self.abandoned = 0
        self.work = self.wasted = 0.0
        self.felt, self.unserved = {}, {}

    def hit(self, fault: str) -> None:
        """Count one request that this fault affected."""
        self.felt[fault] = self.felt.get(fault, 0) + 1
        self.all_felt[fault] = self.all_felt.get(fault, 0) + 1

    def asked_for(self, key: str) -> None:
        """Count one request for what is not served; the names beyond MOST are counted together."""
        if key not in self.all_unserved and len(self.all_unserved) >= MOST:
            key = f"{key.partition(' ')[0]} others"
        self.unserved[key] = self.unserved.get(key, 0) + 1
        self.all_unserved[key] = self.all_unserved.get(key, 0) + 1

    def move(self, now: float, running: int, orphaned: int, queued: int, slots: int) -> None:
        """Advance to `now` with this many running, `orphaned` of them without a client; closes seconds in between."""
        while True:
            to = now if now < self._end else self._end
            if to > self._now:
                if running:
                    self.work += running * (to - self._now)
                    self.wasted += orphaned * (to - self._now)
                self._now = to
            if now < self._end:
                return
            self._close(running, queued, slots)

    def _close(self, running: int, queued: int, slots: int) -> None:
        self.all_work += self.work
        self.all_wasted += self.wasted
        self._past.append(
            ServiceSecond(
                t=self._end - 1,
                provider=self.provider,
                offered=self.offered,
                admitted=self.admitted,
                refused=self.refused,
                failed=self.failed,
                finished=self.finished,
                abandoned=self.abandoned,
                running=running,
                queued=queued,
                work=self.work,
                wasted=self.wasted,
                capacity=float(slots),
                felt=self.felt,
                unserved=self.unserved,
            )
        )
        self._end += 1
        self._clear()

    def seconds(self, since: int = 0) -> Iterator[ServiceSecond]:
        """The complete seconds with t >= since, oldest first."""
        if not self._past:
            return
        skip = max(0, since - self._past[0].t)
        for index in range(skip, len(self._past)):
            yield self._past[index]
