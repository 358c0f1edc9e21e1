"""The values of a summary as people read them; the same words in every report."""

from collections.abc import Iterator
from typing import assert_never

from mockbot.measures.text import format_in_unit
from mockbot.report.summary import Measures, MoreThan, Number, ScopeOut, Summary
from mockbot.scenario.spans import FaultSpan
from mockbot.units.quantities import share_text


def seen_words(measure: str, value: Number) -> str:
    """A measure with its unit; "-" when it cannot be said."""
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


def scope_words(scope: ScopeOut) -> str:
    """ "phase blackout, group patient", or "whole run"."""
    named = scope.model_dump(exclude_none=True).items()
    return ", ".join(f"{kind} {name}" for kind, name in named) or "whole run"


def people_rows(summary: Summary) -> Iterator[Measures]:
    """Each phase with its groups, then the whole run with its groups; groups only where there are several."""
    people = [row for row in summary.measures if row.scope.tier is None and row.scope.provider is None]
    for phase in (*(phase.name for phase in summary.phases), None):
        mine = [row for row in people if row.scope.phase == phase]
        yield from (row for row in mine if row.scope.group is None)
        groups = [row for row in mine if row.scope.group is not None]
        yield from groups if len(groups) > 1 else ()


def fault_words(span: FaultSpan) -> str:
    """What is wrong, in the scenario's own words: "http_error 503 on main, 10% -> 0%"."""
    spec = getattr(span.fault, span.fault.kind)
    value = spec.model_dump(mode="json").get(spec.main)
    what = span.fault.kind if value is True else f"{span.fault.kind} {value}"
    share = span.fault.share
    ramp = share_text(share.first) if share.steady else f"{share_text(share.first)} -> {share_text(share.last)}"
    return f"{what} on {span.provider}" + ("" if ramp == "100%" else f", {ramp}")
