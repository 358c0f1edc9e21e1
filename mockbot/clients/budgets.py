"""Retry budgets: requests and their results in, whether one more retry may be sent out. Pure.

A budget is per provider and shared by the users of a client process. It then bounds what retries add to the load,
whatever the number of attempts that a policy would make.
"""

from abc import ABC, abstractmethod

from mockbot.clients.window import Window


class RetryBudget(ABC):
    """Informed of every prompt and attempt; asked before every retry. What a budget does not count, it ignores."""

    def asked(self, now: float) -> None:  # noqa: B027 - ignored by default
        """The first attempt of a prompt is sent."""

    def succeeded(self, now: float) -> None:  # noqa: B027 - ignored by default
        """An attempt was ok."""

    def failed(self, now: float) -> None:  # noqa: B027 - ignored by default
        """An attempt failed through the provider."""

    @abstractmethod
    def afford(self, now: float) -> bool:
        """Pay for one more retry; False: it must not be sent."""


class PerSuccessBudget(RetryBudget):
    """A bucket of `burst` tokens, full at first: a retry costs 1, a success earns `earns`.

    With failures of probability p and demand enough: f(1-p)/(1-f(1-p)) retries per prompt, f = `earns` (Brooker,
    "Fixing retries with token buckets and circuit breakers", 2022: as its text says; his simulator earns per call).
    """

    def __init__(self, earns: float, burst: float) -> None:
        self._earns, self._burst = earns, burst
        self._tokens = float(burst)

    def succeeded(self, now: float) -> None:  # noqa: ARG002 - as RetryBudget.succeeded
        """Earns its part of a token."""
        self._tokens = min(self._burst, self._tokens + self._earns)

    def afford(self, now: float) -> bool:  # noqa: ARG002 - as RetryBudget.afford
        """Costs a whole token."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class GrpcThrottle(RetryBudget):
    """gRFC A6, "Throttling Retry Attempts and Hedged RPCs": in the end no retries above ratio/(1+ratio) failures."""

    def __init__(self, tokens: float, ratio: float) -> None:
        self._most, self._ratio = float(tokens), ratio
        self._tokens = float(tokens)

    def succeeded(self, now: float) -> None:  # noqa: ARG002 - as RetryBudget.succeeded
        """token_count += tokenRatio, up to maxTokens."""
        self._tokens = min(self._most, self._tokens + self._ratio)

    def failed(self, now: float) -> None:  # noqa: ARG002 - as RetryBudget.failed
        """token_count -= 1, down to 0."""
        self._tokens = max(0.0, self._tokens - 1)

    def afford(self, now: float) -> bool:  # noqa: ARG002 - as RetryBudget.afford
        """Only while token_count > maxTokens / 2; a retry itself costs nothing."""
        return self._tokens > self._most / 2


class FinagleBudget(RetryBudget):
    """Finagle's RetryBudget and Linkerd's default: `share` of the requests of the last `window`, and `rate` per second.

    A request deposits 1, a retry withdraws 1/share, from a reserve of rate x window retries; deposits and withdrawals
    are both forgotten after `window` seconds.
    """

    def __init__(self, share: float, rate: float, window: float) -> None:
        self._cost = 1 / share
        self._reserve = rate * window * self._cost
        self._window = Window(window)

    def asked(self, now: float) -> None:
        """Deposits 1."""
        self._window.add(now, asked=1.0)

    def afford(self, now: float) -> bool:
        """Withdraws the cost of one retry."""
        self._window.forget(now)
        # Sums of 1/share are not exact: without the tolerance ten deposits of 1 might not pay for a retry at 10 %.
        if self._reserve + self._window.asked - self._window.got < self._cost - 1e-9:
            return False
        self._window.add(now, got=self._cost)
        return True
