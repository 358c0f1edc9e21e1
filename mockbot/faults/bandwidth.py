"""bandwidth: few bytes pass in a second."""

from pydantic import Field

from mockbot.faults.base import KilobytesPerSecond, ToxicFault
from mockbot.units.frozen_model import Spec


class BandwidthSpec(Spec):
    """Bytes per second and connection, at least 1000/s (Toxiproxy counts in kilobytes)."""

    main = "rate"
    rate: KilobytesPerSecond = Field(ge=1000)


class Bandwidth(ToxicFault):
    kind = "bandwidth"
    plain = "the network path to {} had little bandwidth"
    in_toxiproxy = True

    bandwidth: BandwidthSpec
