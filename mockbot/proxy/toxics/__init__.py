"""One toxic, one file. `EFFECTS` is the registry: a test checks that every file of this folder is in it."""

from mockbot.proxy.toxics.bandwidth import Bandwidth
from mockbot.proxy.toxics.base import Effect
from mockbot.proxy.toxics.latency import Latency
from mockbot.proxy.toxics.limit_data import LimitData
from mockbot.proxy.toxics.noop import Noop
from mockbot.proxy.toxics.reset_peer import ResetPeer
from mockbot.proxy.toxics.slicer import Slicer
from mockbot.proxy.toxics.slow_close import SlowClose
from mockbot.proxy.toxics.timeout import Timeout

EFFECTS: tuple[type[Effect], ...] = (Bandwidth, Latency, LimitData, Noop, ResetPeer, Slicer, SlowClose, Timeout)


def effect_type(name: str) -> type[Effect] | None:
    """The type of that name; names are case-sensitive (Toxiproxy 2.12.0: "Latency" is an invalid toxic type)."""
    return next((effect for effect in EFFECTS if effect.type == name), None)
