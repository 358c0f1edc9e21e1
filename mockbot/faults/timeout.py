"""timeout: nothing passes, and after a while the connection is closed."""

from mockbot.faults.base import Milliseconds, ToxicFault
from mockbot.units.frozen_model import Spec


class TimeoutSpec(Spec):
    """Nothing passes; the connection is closed after `timeout` without data, or never when 0."""

    main = "timeout"
    timeout: Milliseconds = 0.0


class Timeout(ToxicFault):
    kind = "timeout"
    plain = "the network path to {} was blocked"
    in_toxiproxy = True
    client_sees = "timeout"

    timeout: TimeoutSpec
