"""A fault in, its text out; the same in every report. Pure."""

from mockbot.scenario.spans import FaultSpan
from mockbot.units.quantities import share_text

NO_FAULT = "no fault is scheduled now"  # which does not say that nothing is wrong


def fault_text(span: FaultSpan) -> str:
    """A fault as the scenario writes it: "http_error 503 on main, 10% -> 0%"."""
    share = span.fault.share
    ramp = share_text(share.first) if share.steady else f"{share_text(share.first)} -> {share_text(share.last)}"
    return f"{span.fault.text()} on {span.where}" + ("" if ramp == "100%" else f", {ramp}")
