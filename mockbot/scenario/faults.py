"""The closed union of faults: what can be wrong with a provider's service and with the wire to it.

In a file a fault is a mapping whose one kind key says what is wrong and whose other keys say where and when:
`{on: main, http_error: 503, share: 10% -> 0%}`. The kind key takes either its main value or a mapping with all of them:
`latency: 300ms` or `latency: {latency: 300ms, jitter: 50ms}`.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from mockbot.scenario.units import Duration, DurationRamp, Ramp, Rate, Share, ShareRamp

Layer = Literal["service", "wire"]
Whole = Annotated[int, Field(strict=True)]  # true is no 1, "40" is no 40


class Model(BaseModel):
    """What every part of a scenario file is: frozen, and closed, so that a typo is an error and not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Spec(Model):
    """The values of one fault kind; `main` is the one that may be written alone."""

    main: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict | BaseModel) else {cls.main: value}


class Flap(Model):
    """On for `duty` of every `period`, beginning on."""

    period: Duration = Field(ge=1.0)
    duty: Share = Field(0.5, gt=0, lt=1)


class FaultBase(Model):
    """Where and when a fault holds. Everything is optional: the whole phase, every request of the first provider."""

    kind: ClassVar[str]
    layer: ClassVar[Layer]

    on: str | None = Field(None, description="provider; the first one when not given")
    at: Duration = Field(0.0, description="starts this long after its phase")
    lasts: Duration | None = Field(
        None, gt=0, description="how long it holds; to the end of its phase when not given, and past it when longer"
    )
    flap: Flap | None = None
    share: ShareRamp = Field(
        Ramp(1.0, 1.0), description="share of requests (service) or of connections (wire) that it hits; may ramp"
    )


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


class HttpErrorSpec(Spec):
    """An error answer in the provider's own words."""

    main = "status"
    status: Whole = Field(ge=400, le=599)
    code: str | None = Field(
        None, description="which of the status's known bodies, for instance slow_down or insufficient_quota"
    )
    retry_after: Duration | None = None
    body: Literal["json", "html"] = "json"


class MaintenanceSpec(Spec):
    """503 with Retry-After until the fault ends (`until_end`) or a fixed one; `exempt` paths still answer."""

    main = "on"
    on: Literal[True] = True
    retry_after: Duration | Literal["until_end"] = "until_end"
    exempt: tuple[str, ...] = ("/v1/models",)
    body: Literal["json", "html"] = "json"


class RateLimitedSpec(Spec):
    """A 429 that is not the client's fault (the limiter itself is broken)."""

    main = "on"
    on: Literal[True] = True
    retry_after: Duration | None = None


class CapacitySpec(Spec):
    """The provider's slots, multiplied."""

    main = "factor"
    factor: ShareRamp


class CrashSpec(Spec):
    """The process dies: queue and running work are lost, connections reset; nothing listens until the fault ends."""

    main = "on"
    on: Literal[True] = True
    warm_up: Duration = Field(0.0, description="capacity ramps from 0 to full over this long after the restart")


class ShedSpec(Spec):
    """Admission by tier: this share of the tier's requests is let in, the rest is refused with 503."""

    main = "admit"
    admit: dict[str, ShareRamp]


class SlowSpec(Spec):
    """A later first token and a slower pace; each a factor >= 1, or an added delay."""

    main = "factor"
    factor: float = Field(
        1.0,
        ge=1.0,
        strict=True,
        allow_inf_nan=False,
        description="multiplies the time to the first token and divides the pace",
    )
    first_token: DurationRamp = Field(Ramp(0.0, 0.0), description="added to the time to the first token")


class StallSpec(Spec):
    """The answer stops coming while the connection stays open; for ever, or for `lasts` and then goes on."""

    main = "sends"
    sends: Literal["nothing", "keepalive"] = "nothing"
    after_tokens: Whole = Field(0, ge=0, description="0: before the first byte of the answer")
    resumes: Duration | None = Field(None, description="goes on after this long; never when not given")


class CutSpec(Spec):
    """A stream that ends too early."""

    main = "how"
    how: Literal["reset", "clean"] = Field(
        "reset", description="a TCP reset, or an orderly end without finish_reason and [DONE]"
    )
    after_tokens: Whole = Field(3, ge=0)


class ErrorEventSpec(Spec):
    """An error inside a stream that began with 200."""

    main = "code"
    code: str = "server_error"
    after_tokens: Whole = Field(3, ge=0)
    shape: Literal["nested", "flat", "failed"] = Field(
        "nested",
        description="OpenAI Responses only: an error object in the event, the event itself, or response.failed",
    )


class MalformedEventSpec(Spec):
    """An event whose data is not JSON."""

    main = "after_tokens"
    after_tokens: Whole = Field(3, ge=0)


class BlankAnswerSpec(Spec):
    """200 with an empty text (OpenAI, 19 February 2025)."""

    main = "on"
    on: Literal[True] = True


class DownSpec(Spec):
    """Nothing listens: connections are refused, existing ones are closed."""

    main = "on"
    on: Literal[True] = True


class LatencySpec(Spec):
    """Each chunk arrives later."""

    main = "latency"
    latency: Duration
    jitter: Duration = 0.0


class BandwidthSpec(Spec):
    """Bytes per second and connection, at least 1000/s (Toxiproxy counts in kilobytes)."""

    main = "rate"
    rate: Rate = Field(ge=1000)


class SlowCloseSpec(Spec):
    """The end of the stream is held back."""

    main = "delay"
    delay: Duration


class TimeoutSpec(Spec):
    """Nothing passes; the connection is closed after `timeout` without data, or never when 0."""

    main = "timeout"
    timeout: Duration


class ResetPeerSpec(Spec):
    """The connection is reset `timeout` after the first data."""

    main = "timeout"
    timeout: Duration = 0.0


class SlicerSpec(Spec):
    """Data comes in small pieces with a pause after each."""

    main = "average_size"
    average_size: Whole = Field(ge=1, description="bytes")
    size_variation: Whole = Field(0, ge=0, description="bytes, less than average_size")
    delay: Duration = 0.0

    @model_validator(mode="after")
    def _splittable(self) -> "SlicerSpec":
        if self.size_variation >= self.average_size:
            raise ValueError(f"size_variation {self.size_variation} must be less than average_size {self.average_size}")
        return self


class LimitDataSpec(Spec):
    """The connection closes after this many bytes."""

    main = "bytes"
    bytes: Whole = Field(ge=0)


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
