"""error_event: a stream that began well ends with an error."""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import End, StreamChange
from mockbot.units.frozen_model import Spec, Whole


class ErrorEventSpec(Spec):
    """An error inside a stream that began with 200."""

    main = "code"
    code: str = "server_error"
    after_tokens: Whole = Field(3, ge=0)
    shape: Literal["nested", "flat", "failed"] = Field(
        "nested", description="OpenAI Responses only: error object in the event, the event itself, or response.failed"
    )


class ErrorEvent(ServiceFault):
    kind = "error_event"
    plain = "answers of {} ended early with an error"

    error_event: ErrorEventSpec

    def effect(self) -> StreamChange:
        spec = self.error_event
        return StreamChange(spec.after_tokens, End("error_event", spec.code, spec.shape))
