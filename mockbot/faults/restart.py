"""restart: the system under test ends, and is started again when the fault ends. Needs one that mockbot starts."""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import SYSTEM, FaultBase
from mockbot.faults.effects import Restarted
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import Duration


class RestartSpec(Spec):
    """Killed without a warning, or asked to end (SIGTERM, and SIGKILL after 3 s); started again after `down`."""

    main = "how"
    how: Literal["kill", "planned"] = "kill"
    down: Duration = Field(5.0, gt=0, description="from its end to its start, unless `lasts` is given")
    on: Literal["system"] = SYSTEM


class Restart(FaultBase):
    kind = "restart"
    layer = "system"
    plain = "{} was restarting"
    counted_by = frozenset({"client"})  # connections that are cut or refused meanwhile
    whole_provider = True
    only_on = SYSTEM
    own_times = ("down",)

    restart: RestartSpec

    @property
    def length(self) -> float | None:
        return self.restart.down if self.lasts is None else self.lasts

    def effect(self) -> Restarted:
        return Restarted(planned=self.restart.how == "planned")
