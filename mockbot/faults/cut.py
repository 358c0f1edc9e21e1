"""cut: an answer ends too early, in one of three ways, which clients and gateways take differently.

    clean    the HTTP body ends properly, without finish_reason and [DONE]: most clients take it for a whole answer
    closed   FIN without the chunk that ends the body, or after fewer bytes than Content-Length says
    reset    RST

The original Toxiproxy, as most proxies, hands a reset on as a close.
"""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import End, StreamChange
from mockbot.units.frozen_model import Spec, Whole


class CutSpec(Spec):
    """An answer that ends too early; a plain one after half of its bytes."""

    main = "how"
    how: Literal["reset", "closed", "clean"] = Field(
        "reset", description="RST; FIN before the HTTP body's end; or its proper end without finish_reason and [DONE]"
    )
    after_tokens: Whole = Field(3, ge=0)


class Cut(ServiceFault):
    kind = "cut"
    plain = "answers of {} were cut off"

    cut: CutSpec

    def effect(self) -> StreamChange:
        spec = self.cut
        return StreamChange(spec.after_tokens, End("truncated" if spec.how == "clean" else spec.how))
