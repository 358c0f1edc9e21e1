"""crash: the process dies and comes back when the fault ends; its clients are refused meanwhile."""

from pydantic import Field

from mockbot.faults.base import OnSpec, ServiceFault
from mockbot.faults.effects import Crashed
from mockbot.units.quantities import Duration


class CrashSpec(OnSpec):
    """The process dies: queue and running work are lost, connections reset; nothing listens until the fault ends."""

    warm_up: Duration = Field(0.0, description="capacity ramps from 0 to full over this long after the restart")


class Crash(ServiceFault):
    kind = "crash"
    plain = "{} had crashed"
    counted_by = frozenset({"service", "client"})  # what was running, and the connections refused since
    whole_provider = True
    own_times = ("warm_up",)

    crash: CrashSpec

    def effect(self) -> Crashed:
        return Crashed(self.crash.warm_up)
