"""The JSON documents of the control API, which both sides use: a service's state in, the same state out elsewhere."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from mockbot.faults.union import Fault
from mockbot.scenario.schema import StatusUpdate
from mockbot.scenario.timeline import ActiveFault, FaultSpan

PREFIX = "/_mockbot"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClockBody(_Closed):
    """Unix time of scenario second 0, and scenario seconds per wall second."""

    t0: float
    speed: float = Field(gt=0)


class FaultBody(_Closed):
    """One service fault that holds now. Times are scenario seconds."""

    id: str
    share: float = Field(ge=0, le=1)
    start: float
    end: float
    phase: str
    fault: Fault
    times: int | None = Field(None, ge=1)

    @classmethod
    def of(cls, active: ActiveFault) -> "FaultBody":
        """The document of a fault of the timeline."""
        span = active.span
        return cls(
            id=span.id, share=active.share, start=span.start, end=span.end, phase=span.phase, fault=span.fault,
            times=active.times,
        )  # fmt: skip

    def active(self, provider: str) -> ActiveFault:
        """The timeline's own value."""
        span = FaultSpan(self.id, self.fault, provider, self.phase, self.start, self.end)
        return ActiveFault(span, self.share, self.times)


class StatusBody(_Closed):
    """An update of the status page, and the scenario second of its publication."""

    since: float
    update: StatusUpdate


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """The scenario that a service serves, and its ports: the status page's, and each provider's."""

    scenario: str
    status: int
    providers: dict[str, int]
