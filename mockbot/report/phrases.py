"""A measured value, an expectation's outcome or a fault in, its text out; the same in every report. Pure."""

from typing import assert_never

from mockbot.measures.text import format_in_unit
from mockbot.report.summary import Expected, MoreThan, Number
from mockbot.scenario.spans import FaultSpan
from mockbot.units.quantities import share_text

HEADINGS = {  # measure -> heading of its column in every table by phase and group
    "prompts": "prompts",
    "availability": "good",
    "user_uptime": "uptime",
    "attempts_per_prompt": "tries",
    "goodput": "goodput",
    "latency_p50": "p50",
    "latency_p95": "p95",
    "latency_p99": "p99",
    "first_token_p50": "first token",
    "apdex": "apdex",
}


def value_text(measure: str, value: Number) -> str:
    """A measure's value in `summary.json` with its unit; "-" when it is not known."""
    match value:
        case None:
            return "-"
        case "never":
            return "never"
        case MoreThan():
            return f"> {format_in_unit(measure, value.more_than)}"
        case float() | int():
            return format_in_unit(measure, value)
        case _:
            assert_never(value)


def outcome_text(case: Expected) -> str:
    """ "expected >= 99%, saw 33.33%"."""
    return f"expected {case.expected}, saw {value_text(case.measure, case.seen)}"


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
