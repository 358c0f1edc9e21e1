"""slow_close: the end of a connection arrives later."""

from mockbot.faults.base import Milliseconds, ToxicFault
from mockbot.units.frozen_model import Spec


class SlowCloseSpec(Spec):
    """The end of the stream is held back."""

    main = "delay"
    delay: Milliseconds


class SlowClose(ToxicFault):
    kind = "slow_close"
    plain = "connections to {} did not close"
    in_toxiproxy = True

    slow_close: SlowCloseSpec
