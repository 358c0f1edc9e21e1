"""tls: the TLS handshake of new connections fails or takes long; open connections go on, as in real outages.

    expired      the certificate's notAfter has passed
    wrong_host   the certificate is for another name
    slow         ServerHello comes after `delay`
    refused      a handshake_failure alert answers ClientHello (RFC 8446, 6.2)

A scenario with this fault serves all of its providers over TLS.
"""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import FaultBase
from mockbot.faults.effects import Handshake
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import Duration


class TlsSpec(Spec):
    """What becomes of a handshake."""

    main = "how"
    how: Literal["expired", "wrong_host", "slow", "refused"]
    delay: Duration = Field(10.0, gt=0, description="of slow: ServerHello comes so much later")


class Tls(FaultBase):
    kind = "tls"
    layer = "tls"
    plain = "secure connections to {} failed or took long to open"
    counted_by = frozenset({"terminator"})

    tls: TlsSpec = Field(description="new connections only: those that are open go on")

    def effect(self) -> Handshake:
        return Handshake(self.tls.how, self.tls.delay)
