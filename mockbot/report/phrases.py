"""A fault in, its text out; the same in every report. Pure."""

from mockbot.scenario.spans import FaultSpan
from mockbot.units.quantities import share_text


def fault_text(span: FaultSpan) -> str:
    """A fault as the scenario writes it: "http_error 503 on main, 10% -> 0%"."""
    spec = getattr(span.fault, span.fault.kind)
    value = spec.model_dump(mode="json").get(spec.main)
    if isinstance(value, dict):  # `shed` has a share for each tier
        value = ", ".join(f"{name} {share}" for name, share in value.items())
    what = span.fault.kind if value is True else f"{span.fault.kind} {value}"
    share = span.fault.share
    ramp = share_text(share.first) if share.steady else f"{share_text(share.first)} -> {share_text(share.last)}"
    return f"{what} on {span.provider}" + ("" if ramp == "100%" else f", {ramp}")
