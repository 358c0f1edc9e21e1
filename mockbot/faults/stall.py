"""stall: an answer stops while its connection stays open."""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Silence, StreamChange
from mockbot.units.frozen_model import Spec, Whole
from mockbot.units.quantities import Duration


class StallSpec(Spec):
    """The answer stops coming while the connection stays open; for ever, or for `lasts` and then goes on."""

    main = "sends"
    sends: Literal["nothing", "keepalive"] = "nothing"
    after_tokens: Whole = Field(0, ge=0, description="0: before the first byte of the answer")
    resumes: Duration | None = Field(None, description="goes on after this long; never when not given")


class Stall(ServiceFault):
    kind = "stall"
    plain = "answers of {} stopped coming"
    keeps_queue = True

    stall: StallSpec

    def effect(self) -> StreamChange:
        spec = self.stall
        return StreamChange(spec.after_tokens, Silence(spec.resumes, spec.sends == "keepalive"))
