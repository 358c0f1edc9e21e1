"""The values of each kind of fault: what may be written behind `http_error:`, `latency:` and so on. Pure.

Each is written by its main value alone, `latency: 300ms`, or as a mapping, `latency: {latency: 300ms, jitter: 50ms}`.
"""

from typing import Literal

from pydantic import Field, model_validator

from mockbot.units.frozen_model import Spec, Whole
from mockbot.units.quantities import Duration, DurationRamp, Ramp, Rate, ShareRamp


class OnSpec(Spec):
    """A fault that needs no value: `crash: true`."""

    main = "on"
    on: Literal[True] = True


class HttpErrorSpec(Spec):
    """An error response with the provider's own body."""

    main = "status"
    status: Whole = Field(ge=400, le=599)
    code: str | None = Field(
        None, description="which of the known bodies for this status, such as slow_down or insufficient_quota"
    )
    retry_after: Duration | None = None
    body: Literal["json", "html"] = "json"


class MaintenanceSpec(OnSpec):
    """503 with Retry-After until the fault ends (`until_end`) or a fixed one; `exempt` paths still answer."""

    retry_after: Duration | Literal["until_end"] = "until_end"
    exempt: tuple[str, ...] = ("/v1/models",)
    body: Literal["json", "html"] = "json"


class RateLimitedSpec(OnSpec):
    """A 429 that is not the client's fault (the limiter itself is broken)."""

    retry_after: Duration | None = None


class CapacitySpec(Spec):
    """The provider's slots, multiplied."""

    main = "factor"
    factor: ShareRamp


class CrashSpec(OnSpec):
    """The process dies: queue and running work are lost, connections reset; nothing listens until the fault ends."""

    warm_up: Duration = Field(0.0, description="capacity ramps from 0 to full over this long after the restart")


class ShedSpec(Spec):
    """Admission by tier: this share of the tier's requests is let in, the rest is refused with 503."""

    main = "admit"
    admit: dict[str, ShareRamp]


class SlowSpec(Spec):
    """A later first token and a slower pace; each a factor >= 1, or an added delay."""

    main = "factor"
    factor: float = Field(
        1.0, ge=1.0, strict=True, allow_inf_nan=False, description="multiplies time to first token, divides pace"
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
        "nested", description="OpenAI Responses only: error object in the event, the event itself, or response.failed"
    )


class MalformedEventSpec(Spec):
    """An event whose data is not JSON."""

    main = "after_tokens"
    after_tokens: Whole = Field(3, ge=0)


class BlankAnswerSpec(OnSpec):
    """200 with an empty text (OpenAI, 19 February 2025)."""


class DownSpec(OnSpec):
    """Nothing listens: connections are refused, existing ones are closed."""


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
