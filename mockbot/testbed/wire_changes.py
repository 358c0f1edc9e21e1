"""Begin, change or end one wire fault at a provider's proxy: a fault in, one call of the proxy's control API out.

The driver of a scenario and the faults that a test adds by hand both go through here.
"""

from collections.abc import Iterable
from typing import Literal

from mockbot.clock import Clock
from mockbot.faults.union import Down
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.timeline import ActiveFault
from mockbot.testbed.toxic_mapping import toxic_of

Change = Literal["begin", "change", "end"]


def change_wire_fault(
    control: ToxicControl, proxy: str, change: Change, active: ActiveFault, holding: Iterable[ActiveFault], clock: Clock
) -> None:
    """Apply the change. `holding`: the provider's faults that hold after it. Raises TestbedError."""
    if isinstance(active.span.fault, Down):
        # `down` is no toxic: the proxy has one switch, and stays disabled until the last `down` fault has ended.
        down = any(isinstance(other.span.fault, Down) for other in holding)
        (control.disable if down else control.enable)(proxy)
    elif change == "begin":
        control.add_toxic(proxy, toxic_of(active, clock))
    elif change == "change":
        control.update_toxic(proxy, toxic_of(active, clock))
    else:
        control.remove_toxic(proxy, active.span.id)
