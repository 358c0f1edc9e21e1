"""maintenance: planned downtime; every request but a few paths is answered with 503 and when it will be over."""

from typing import Literal, Self

from mockbot.faults.base import OnSpec, ServiceFault
from mockbot.faults.effects import EdgeAnswer
from mockbot.units.quantities import Duration


class MaintenanceSpec(OnSpec):
    """503 with Retry-After until the fault ends (`until_end`) or a fixed one; `exempt` paths still answer."""

    retry_after: Duration | Literal["until_end"] = "until_end"
    exempt: tuple[str, ...] = ("/v1/models",)
    body: Literal["json", "html"] = "json"


class Maintenance(ServiceFault):
    kind = "maintenance"
    plain = "{} was closed for maintenance"
    own_times = ("retry_after",)  # it announces the end

    maintenance: MaintenanceSpec

    def effect(self) -> EdgeAnswer:
        spec = self.maintenance
        return EdgeAnswer(503, "maintenance", spec.retry_after, spec.body == "html", spec.exempt)

    def held(self, lasts: float) -> Self:
        """There is no end to count down to: Retry-After is the duration that the phase has in the file."""
        if self.lasts is not None or self.maintenance.retry_after != "until_end":
            return self
        return self.model_copy(update={"maintenance": self.maintenance.model_copy(update={"retry_after": lasts})})
