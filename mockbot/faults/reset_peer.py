"""reset_peer: the connection is reset."""

from mockbot.faults.base import Milliseconds, ToxicFault
from mockbot.units.frozen_model import Spec


class ResetPeerSpec(Spec):
    """The connection is reset `timeout` after the first data."""

    main = "timeout"
    timeout: Milliseconds = 0.0


class ResetPeer(ToxicFault):
    kind = "reset_peer"
    plain = "connections to {} were reset"
    in_toxiproxy = True
    client_sees = "reset"

    reset_peer: ResetPeerSpec
