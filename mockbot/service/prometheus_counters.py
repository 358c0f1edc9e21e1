"""One provider's Prometheus counters since its run began; requests in, totals out. Pure.

A request is a retry when a header says so (its SDK's count, else `x-mockbot-attempt`, above 0), else when
the same API key sent the same body before and was not answered.
"""

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal

from mockbot.dialects.client_identity import ATTEMPT
from mockbot.dialects.families import retry_count

Outcome = Literal["refused", "failed", "finished", "flawed", "abandoned"]

# Bucket bounds in wall seconds, vLLM's own, so that its dashboards can read them.
FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
WHOLE = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0)
_ATTEMPT = ATTEMPT.encode()
_REMEMBERED = 10_000  # unanswered requests, for recognizing their retries


class Histogram:
    """Counts of durations up to each bound, as vLLM's."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class PrometheusCounters:
    """One provider's counters. Times are wall seconds, the clock of the scraping Prometheus."""

    __slots__ = ("_unanswered", "first_token", "generated", "outcomes", "prompted", "responses", "whole")

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, Outcome, bool]] = Counter()  # (tier, outcome, a retry?)
        self.responses: Counter[tuple[str, int]] = Counter()  # (path, status); 0: the connection was cut before one
        self.first_token, self.whole = Histogram(FIRST_TOKEN), Histogram(WHOLE)
        self.prompted = self.generated = 0  # tokens
        self._unanswered: OrderedDict[tuple[int, str], None] = OrderedDict()

    def is_retry(self, headers: Mapping[bytes, bytes], mark: int, key: str) -> bool:
        """Whether a request is a retry; `mark` is 0 when its body was never read."""
        count = retry_count(headers) or headers.get(_ATTEMPT)
        if count is not None:
            return count != b"0"
        return mark != 0 and (mark, key) in self._unanswered

    def settle(self, path: str, status: int, tier: str, outcome: Outcome, mark: int, key: str, retry: bool) -> None:
        """Count a request that is over."""
        self.responses[path, status] += 1
        self.outcomes[tier, outcome, retry] += 1
        if outcome == "finished":
            self._unanswered.pop((mark, key), None)
        elif mark:
            self._unanswered[mark, key] = None
            if len(self._unanswered) > _REMEMBERED:
                self._unanswered.popitem(last=False)

    def answered(self, prompt_tokens: int, tokens: int, first: float | None, whole: float) -> None:
        """Count a complete answer: its tokens and wall seconds."""
        self.prompted += prompt_tokens
        self.generated += tokens
        self.whole.add(whole)
        if first is not None:
            self.first_token.add(first)
