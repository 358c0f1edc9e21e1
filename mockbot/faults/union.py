"""The closed union of faults: what can fail in a provider's service and on the connections to it. Pure.

In a file a fault is a mapping: one key names the kind of fault, the others say where and when it holds:
`{on: main, http_error: 503, share: 10% -> 0%}`. The kind key takes either its main value or a mapping with all of them:
`latency: 300ms` or `latency: {latency: 300ms, jitter: 50ms}`.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from mockbot.faults.specs import (
    BandwidthSpec,
    BlankAnswerSpec,
    CapacitySpec,
    CrashSpec,
    CutSpec,
    DownSpec,
    ErrorEventSpec,
    HttpErrorSpec,
    LatencySpec,
    LimitDataSpec,
    MaintenanceSpec,
    MalformedEventSpec,
    RateLimitedSpec,
    ResetPeerSpec,
    ShedSpec,
    SlicerSpec,
    SlowCloseSpec,
    SlowSpec,
    StallSpec,
    TimeoutSpec,
)
from mockbot.units.frozen_model import Model
from mockbot.units.quantities import Duration, Ramp, Share, ShareRamp

Layer = Literal["service", "wire"]


class Flap(Model):
    """On for `duty` of every `period`, starting with on."""

    period: Duration = Field(ge=1.0)
    duty: Share = Field(0.5, gt=0, lt=1)


class FaultBase(Model):
    """Where and when a fault holds. Everything is optional: the whole phase, every request of the first provider."""

    kind: ClassVar[str]
    layer: ClassVar[Layer]

    on: str | None = Field(None, description="provider; the first one if not given")
    at: Duration = Field(0.0, description="starts this long after its phase")
    lasts: Duration | None = Field(
        None, gt=0, description="how long it holds; to the end of its phase if not given; may be longer than the phase"
    )
    flap: Flap | None = None
    share: ShareRamp = Field(Ramp(1.0, 1.0), description="share of requests (service) or connections (wire); may ramp")


class ServiceFault(FaultBase):
    """A fault inside the chatbot service; hits requests, and can be narrowed to some of them."""

    layer: ClassVar[Layer] = "service"

    tier: str | None = Field(None, description="only requests of this tier")
    keys: Share | None = Field(None, description="only this share of API keys, always the same ones")
    endpoint: str | None = Field(None, description="only paths that begin with this, for instance /v1/chat")


class WireFault(FaultBase):
    """A fault of the connection; hits whole connections (a keep-alive connection carries many requests)."""

    layer: ClassVar[Layer] = "wire"

    stream: Literal["upstream", "downstream"] = "downstream"


class HttpError(ServiceFault):
    kind = "http_error"
    http_error: HttpErrorSpec


class Maintenance(ServiceFault):
    kind = "maintenance"
    maintenance: MaintenanceSpec


class RateLimited(ServiceFault):
    kind = "rate_limited"
    rate_limited: RateLimitedSpec


class Capacity(ServiceFault):
    kind = "capacity"
    capacity: CapacitySpec


class Crash(ServiceFault):
    kind = "crash"
    crash: CrashSpec


class Shed(ServiceFault):
    kind = "shed"
    shed: ShedSpec


class Slow(ServiceFault):
    kind = "slow"
    slow: SlowSpec


class Stall(ServiceFault):
    kind = "stall"
    stall: StallSpec


class Cut(ServiceFault):
    kind = "cut"
    cut: CutSpec


class ErrorEvent(ServiceFault):
    kind = "error_event"
    error_event: ErrorEventSpec


class MalformedEvent(ServiceFault):
    kind = "malformed_event"
    malformed_event: MalformedEventSpec


class BlankAnswer(ServiceFault):
    kind = "blank_answer"
    blank_answer: BlankAnswerSpec


class Down(WireFault):
    kind = "down"
    down: DownSpec


class Latency(WireFault):
    kind = "latency"
    latency: LatencySpec


class Bandwidth(WireFault):
    kind = "bandwidth"
    bandwidth: BandwidthSpec


class SlowClose(WireFault):
    kind = "slow_close"
    slow_close: SlowCloseSpec


class Timeout(WireFault):
    kind = "timeout"
    timeout: TimeoutSpec


class ResetPeer(WireFault):
    kind = "reset_peer"
    reset_peer: ResetPeerSpec


class Slicer(WireFault):
    kind = "slicer"
    slicer: SlicerSpec


class LimitData(WireFault):
    kind = "limit_data"
    limit_data: LimitDataSpec


SERVICE_FAULTS = (
    HttpError, Maintenance, RateLimited, Capacity, Crash, Shed,
    Slow, Stall, Cut, ErrorEvent, MalformedEvent, BlankAnswer,
)  # fmt: skip
WIRE_FAULTS = (Down, Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData)
FAULT_KINDS = tuple(fault.kind for fault in (*SERVICE_FAULTS, *WIRE_FAULTS))


# A callable discriminator, because the members have no common key: the kind is itself the key.
def kind_of(value: Any) -> str | None:
    """Which kind of fault a mapping or a model is; None when no kind key is there (or more than one)."""
    if isinstance(value, FaultBase):
        return value.kind
    kinds = [key for key in value if key in FAULT_KINDS] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


Fault = Annotated[
    Annotated[HttpError, Tag("http_error")]
    | Annotated[Maintenance, Tag("maintenance")]
    | Annotated[RateLimited, Tag("rate_limited")]
    | Annotated[Capacity, Tag("capacity")]
    | Annotated[Crash, Tag("crash")]
    | Annotated[Shed, Tag("shed")]
    | Annotated[Slow, Tag("slow")]
    | Annotated[Stall, Tag("stall")]
    | Annotated[Cut, Tag("cut")]
    | Annotated[ErrorEvent, Tag("error_event")]
    | Annotated[MalformedEvent, Tag("malformed_event")]
    | Annotated[BlankAnswer, Tag("blank_answer")]
    | Annotated[Down, Tag("down")]
    | Annotated[Latency, Tag("latency")]
    | Annotated[Bandwidth, Tag("bandwidth")]
    | Annotated[SlowClose, Tag("slow_close")]
    | Annotated[Timeout, Tag("timeout")]
    | Annotated[ResetPeer, Tag("reset_peer")]
    | Annotated[Slicer, Tag("slicer")]
    | Annotated[LimitData, Tag("limit_data")],
    Discriminator(kind_of),
]
