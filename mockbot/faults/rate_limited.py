"""rate_limited: requests are answered with 429 although the client kept to its limits."""

from mockbot.faults.base import OnSpec, ServiceFault
from mockbot.faults.effects import EdgeAnswer
from mockbot.units.quantities import Duration


class RateLimitedSpec(OnSpec):
    """A 429 that is not the client's fault (the limiter itself is broken)."""

    retry_after: Duration | None = None


class RateLimited(ServiceFault):
    kind = "rate_limited"
    plain = "{} rejected requests as too frequent although they were not"

    rate_limited: RateLimitedSpec

    def effect(self) -> EdgeAnswer:
        return EdgeAnswer(429, retry_after=self.rate_limited.retry_after)
