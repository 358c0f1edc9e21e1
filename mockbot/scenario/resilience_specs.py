"""What may limit or extend a retrying client: budget, breaker, throttle, hedge, fail-over. Values only; pure.

Each is written by its name alone (`budget: grpc`), by its main value alone (`throttle: 2`), or as a mapping.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, model_validator

from mockbot.units.frozen_model import Model, Spec, Whole
from mockbot.units.quantities import Duration, Rate, Share


def by_name(value: Any) -> Any:
    """A name alone means that thing with its defaults."""
    return {"name": value} if isinstance(value, str) else value


class PerSuccess(Model):
    """A retry costs a token and a success earns a part of one; `burst` is the most, and the start (Brooker, 2022)."""

    name: Literal["per_success"] = "per_success"
    earns: Share = Field(0.1, gt=0, description="tokens per success: the share of retries that is affordable")
    burst: Whole = Field(10, ge=1)


class Grpc(Model):
    """gRFC A6: a failure costs a token, a success earns `ratio`; no retry at `tokens`/2 or below."""

    name: Literal["grpc"] = "grpc"
    tokens: Whole = Field(10, ge=1, le=1000)
    ratio: float = Field(0.1, gt=0, le=1, strict=True)


class Finagle(Model):
    """Finagle and Linkerd: retries up to `share` of the requests of the last `window`, and `rate` more in any case."""

    name: Literal["finagle"] = "finagle"
    share: Share = Field(0.2, gt=0)
    rate: Rate = 10.0
    window: Duration = Field(10.0, gt=0)


Budget = Annotated[Annotated[PerSuccess | Grpc | Finagle, Discriminator("name")], BeforeValidator(by_name)]


class BreakerBase(Model):
    """After `open_for`, `probes` attempts at a time are sent; when that many succeed in a row, it closes."""

    open_for: Duration = Field(30.0, gt=0)
    probes: Whole = Field(1, ge=1)


class ConsecutiveBreaker(BreakerBase):
    """Opens after `failures` in a row."""

    name: Literal["consecutive"] = "consecutive"
    failures: Whole = Field(5, ge=1)


class WindowedBreaker(BreakerBase):
    """Opens when more than `failures` of the attempts in the last `window` failed, of at least `at_least`."""

    name: Literal["windowed"] = "windowed"
    failures: Share = Field(0.5, lt=1)
    window: Duration = Field(10.0, gt=0)
    at_least: Whole = Field(20, ge=1)


Breaker = Annotated[Annotated[ConsecutiveBreaker | WindowedBreaker, Discriminator("name")], BeforeValidator(by_name)]


class Throttle(Spec):
    """Refuses locally with probability max(0, (requests - k accepts) / (requests + 1)): SRE book, ch. 21."""

    main = "k"
    k: float = Field(2.0, ge=1, strict=True, allow_inf_nan=False)
    window: Duration = Field(120.0, gt=0)


class Hedge(Spec):
    """Without a token `after` so long, a second attempt runs beside the first; the first answer wins."""

    main = "after"
    after: Duration = Field(gt=0)
    at_most: Whole = Field(1, ge=1, description="extra attempts per prompt")


class FailOver(Spec):
    """When a client turns to the provider that it `falls_over_to`, and when it comes back.

    `retry`: after `failures` of a prompt's attempts at one provider, the next one goes to the other. `breaker`: while
    the breaker of the first provider is open. `exhausted`: when every attempt failed at the first one.
    For `stay` after that, new prompts start at the other one, unless that fails too.
    """

    main = "when"
    when: Literal["retry", "breaker", "exhausted"]
    failures: Whole = Field(1, ge=1)
    stay: Duration = 0.0

    @model_validator(mode="after")
    def _failures_of_retries(self) -> "FailOver":
        if self.failures != 1 and self.when != "retry":
            raise ValueError(f"'failures' counts for 'when: retry' only, not for 'when: {self.when}'")
        return self
