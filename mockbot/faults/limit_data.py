"""limit_data: the connection is closed after so many bytes."""

from pydantic import Field

from mockbot.faults.base import Bytes, ToxicFault
from mockbot.units.frozen_model import Spec


class LimitDataSpec(Spec):
    """The connection closes after this many bytes."""

    main = "bytes"
    bytes: Bytes = Field(ge=0)


class LimitData(ToxicFault):
    kind = "limit_data"
    plain = "connections to {} were closed early"
    in_toxiproxy = True
    client_sees = "closed"

    limit_data: LimitDataSpec
