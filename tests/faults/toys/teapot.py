"""teapot: requests are answered with 418."""

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import EdgeAnswer
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import Duration


class TeapotSpec(Spec):
    """418 with Retry-After."""

    main = "cools_in"
    cools_in: Duration


class Teapot(ServiceFault):
    kind = "teapot"
    plain = "{} was a teapot"

    teapot: TeapotSpec

    def effect(self) -> EdgeAnswer:
        return EdgeAnswer(418, retry_after=self.teapot.cools_in)
