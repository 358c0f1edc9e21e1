"""cut: a stream ends before its answer does."""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import End, StreamChange
from mockbot.units.frozen_model import Spec, Whole


class CutSpec(Spec):
    """A stream that ends too early."""

    main = "how"
    how: Literal["reset", "clean"] = Field(
        "reset", description="a TCP reset, or an orderly end without finish_reason and [DONE]"
    )
    after_tokens: Whole = Field(3, ge=0)


class Cut(ServiceFault):
    kind = "cut"
    plain = "answers of {} were cut off"

    cut: CutSpec

    def effect(self) -> StreamChange:
        spec = self.cut
        return StreamChange(spec.after_tokens, End("reset" if spec.how == "reset" else "truncated"))
