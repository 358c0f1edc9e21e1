"""Turn a wire fault into its toxic: scenario seconds into wall milliseconds, shares into toxicity. Pure.

Toxiproxy's units (2.12.0): latency, jitter, timeout and delay in ms; slicer's delay in microseconds; bandwidth in kB/s
(1000 bytes). `speed` shortens every delay and widens the bandwidth; sizes stay.
"""

from collections.abc import Mapping

from mockbot.clock import Clock
from mockbot.faults.union import (
    Bandwidth,
    FaultBase,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    WireFault,
)
from mockbot.proxy.toxiproxy_client import ToxicSpec
from mockbot.scenario.timeline import ActiveFault


def toxic_of(active: ActiveFault, clock: Clock) -> ToxicSpec:
    """The toxic of a wire fault other than `down` (which is no toxic: the proxy is disabled)."""
    fault = active.span.fault
    if not isinstance(fault, WireFault):
        raise TypeError(f"{active.span.id} is not a wire fault")
    return ToxicSpec(active.span.id, fault.kind, fault.stream, active.share, _attributes(fault, clock))


def _attributes(fault: FaultBase, clock: Clock) -> Mapping[str, int]:
    def ms(seconds: float) -> int:
        return max(1, round(clock.wall(seconds) * 1000)) if seconds else 0

    match fault:
        case Latency(latency=spec):
            return {"latency": ms(spec.latency), "jitter": ms(spec.jitter)}
        case Bandwidth(bandwidth=spec):
            return {"rate": max(1, round(clock.scenario(spec.rate) / 1000))}
        case SlowClose(slow_close=spec):
            return {"delay": ms(spec.delay)}
        case Timeout(timeout=spec):
            return {"timeout": ms(spec.timeout)}
        case ResetPeer(reset_peer=spec):
            return {"timeout": ms(spec.timeout)}
        case Slicer(slicer=spec):
            return {
                "average_size": spec.average_size,
                "size_variation": spec.size_variation,
                "delay": round(clock.wall(spec.delay) * 1e6),
            }
        case LimitData(limit_data=spec):
            return {"bytes": spec.bytes}
        case _:
            raise TypeError(f"{fault.kind} is no toxic")
