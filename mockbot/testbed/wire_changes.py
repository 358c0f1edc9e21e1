"""Begin, change or end one wire fault at a provider's proxy: a fault in, one call of the proxy's control API out.

The driver of a scenario and the faults that a test adds by hand both go through here.
"""

from collections.abc import Iterable
from typing import Literal

from mockbot.clock import Clock
from mockbot.faults.effects import ClosedPort, Toxic
from mockbot.proxy.toxiproxy_client import ToxicControl, ToxicSpec
from mockbot.scenario.timeline import ActiveFault

Change = Literal["begin", "change", "end"]


def change_wire_fault(
    control: ToxicControl, proxy: str, change: Change, active: ActiveFault, holding: Iterable[ActiveFault], clock: Clock
) -> None:
    """Apply the change. `holding`: the provider's faults that hold after it. Raises TestbedError."""
    effect = active.span.fault.effect()
    if not isinstance(effect, Toxic):
        # The proxy has one switch, and stays disabled until the last fault that closes its port has ended.
        down = any(isinstance(other.span.fault.effect(), ClosedPort) for other in holding)
        (control.disable if down else control.enable)(proxy)
    elif change == "end":
        control.remove_toxic(proxy, active.span.id)
    else:
        attributes = effect.attributes(clock.speed)
        toxic = ToxicSpec(active.span.id, effect.type, effect.stream, active.share, attributes)
        (control.add_toxic if change == "begin" else control.update_toxic)(proxy, toxic)
