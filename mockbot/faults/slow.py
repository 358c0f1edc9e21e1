"""slow: answers begin later and come more slowly."""

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Slowdown
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import DurationRamp, Ramp


class SlowSpec(Spec):
    """A later first token and a slower pace; each a factor >= 1, or an added delay."""

    main = "factor"
    factor: float = Field(
        1.0, ge=1.0, strict=True, allow_inf_nan=False, description="multiplies time to first token, divides pace"
    )
    first_token: DurationRamp = Field(Ramp(0.0, 0.0), description="added to the time to the first token")


class Slow(ServiceFault):
    kind = "slow"
    plain = "{} was slow"
    keeps_queue = True

    slow: SlowSpec

    def effect(self) -> Slowdown:
        return Slowdown(self.slow.factor, self.slow.first_token)
