"""latency: everything arrives later, by about as much."""

from mockbot.faults.base import Milliseconds, ToxicFault
from mockbot.units.frozen_model import Spec


class LatencySpec(Spec):
    """Each chunk arrives later."""

    main = "latency"
    latency: Milliseconds
    jitter: Milliseconds = 0.0


class Latency(ToxicFault):
    kind = "latency"
    plain = "the network path to {} was slow"
    in_toxiproxy = True

    latency: LatencySpec
