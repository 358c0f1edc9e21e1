"""malformed_event: a stream contains an event that is not JSON."""

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Garbled, StreamChange
from mockbot.units.frozen_model import Spec, Whole


class MalformedEventSpec(Spec):
    """An event whose data is not JSON."""

    main = "after_tokens"
    after_tokens: Whole = Field(3, ge=0)


class MalformedEvent(ServiceFault):
    kind = "malformed_event"
    plain = "answers of {} were malformed"

    malformed_event: MalformedEventSpec

    def effect(self) -> StreamChange:
        return StreamChange(self.malformed_event.after_tokens, Garbled())
