"""second_thoughts: after so many tokens of an answer the provider says that it should not have begun it."""

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import End, StreamChange
from mockbot.units.frozen_model import Spec, Whole


class SecondThoughtsSpec(Spec):
    """An error event with the code `second_thoughts`."""

    main = "after_tokens"
    after_tokens: Whole = Field(2, ge=0)


class SecondThoughts(ServiceFault):
    kind = "second_thoughts"
    plain = "{} changed its mind"

    second_thoughts: SecondThoughtsSpec

    def effect(self) -> StreamChange:
        return StreamChange(self.second_thoughts.after_tokens, End("error_event", "second_thoughts"))
