"""The values of a summary as people read them; the same words in every report."""

from typing import assert_never

from mockbot.evidence.words import number_words
from mockbot.report.summary import MoreThan, Number, ScopeOut
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.units import share_text


def seen_words(measure: str, value: Number) -> str:
    """A measure with its unit; "-" when it cannot be said."""
    match value:
        case None:
            return "-"
        case "never":
            return "never"
        case MoreThan():
            return f"> {number_words(measure, value.more_than)}"
        case float() | int():
            return number_words(measure, value)
        case _:
            assert_never(value)


def scope_words(scope: ScopeOut) -> str:
    """ "phase blackout, group patient", or "whole run"."""
    named = scope.model_dump(exclude_none=True).items()
    return ", ".join(f"{kind} {name}" for kind, name in named) or "whole run"


def fault_words(span: FaultSpan) -> str:
    """What is wrong, in the scenario's own words: "http_error 503 on main, 10% -> 0%"."""
    spec = getattr(span.fault, span.fault.kind)
    value = spec.model_dump(mode="json").get(spec.main)
    what = span.fault.kind if value is True else f"{span.fault.kind} {value}"
    share = span.fault.share
    ramp = share_text(share.first) if share.steady else f"{share_text(share.first)} -> {share_text(share.last)}"
    return f"{what} on {span.provider}" + ("" if ramp == "100%" else f", {ramp}")
