"""swallow: after so many bytes nothing passes any more, and the connection stays open."""

from pydantic import Field

from mockbot.faults.base import Bytes, ToxicFault
from mockbot.units.frozen_model import Spec


class SwallowSpec(Spec):
    """Nothing passes after this many bytes."""

    main = "after"
    after: Bytes = Field(0, ge=0)


class Swallow(ToxicFault):
    kind = "swallow"
    plain = "the network path to {} lost data"
    client_sees = "timeout"

    swallow: SwallowSpec
