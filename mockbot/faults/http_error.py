"""http_error: requests are answered with an error instead of an answer."""

from typing import Literal

from pydantic import Field

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import EdgeAnswer
from mockbot.units.frozen_model import Spec, Whole
from mockbot.units.quantities import Duration


class HttpErrorSpec(Spec):
    """An error response with the provider's own body."""

    main = "status"
    status: Whole = Field(ge=400, le=599)
    code: str | None = Field(
        None, description="which of the known bodies for this status, such as slow_down or insufficient_quota"
    )
    retry_after: Duration | None = None
    body: Literal["json", "html"] = "json"


class HttpError(ServiceFault):
    kind = "http_error"
    plain = "{} answered with errors"

    http_error: HttpErrorSpec

    def effect(self) -> EdgeAnswer:
        spec = self.http_error
        return EdgeAnswer(spec.status, spec.code, spec.retry_after, spec.body == "html")
