"""A summary in, OpenMetrics text out, for a push gateway or a file that a collector reads: one gauge a measure.

Shares are ratios 0..1, durations scenario seconds; a time that never came is +Inf. What is only known to be more than
something is in `..._at_least_seconds`, so that no dashboard takes a lower bound for the value.
"""

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from mockbot.measures.catalogue import CATALOGUE, Unit
from mockbot.report.summary import MoreThan, Number, Summary

LABELS = ("scenario", "phase", "group", "tier", "provider")
UNITS: dict[Unit, str] = {
    "share": "_ratio",
    "duration": "_seconds",
    "rate": "_per_second",
    "number": "",
    "count": "",
}


def openmetrics_text(summary: Summary) -> str:
    """Everything that is a number, with the scope as labels; empty labels are "all of them"."""
    registry = CollectorRegistry()
    verdicts = Gauge("mockbot_verdict", "1 for the verdict of the run", ("scenario", "verdict"), registry=registry)
    for verdict in ("pass", "fail", "inconclusive"):
        verdicts.labels(summary.run.scenario, verdict).set(summary.verdict == verdict)
    gauges: dict[str, Gauge] = {}
    for row in summary.measures:
        for measure, value in row.values.items():
            if (said := _said(measure, value)) is not None:
                name, number = said
                if name not in gauges:
                    gauges[name] = Gauge(name, f"mockbot measure {measure}", LABELS, registry=registry)
                labels = (row.scope.phase, row.scope.group, row.scope.tier, row.scope.provider)
                gauges[name].labels(summary.run.scenario, *(label or "" for label in labels)).set(number)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def _said(measure: str, value: Number) -> tuple[str, float] | None:
    unit = UNITS[CATALOGUE[measure].unit]
    match value:
        case None:
            return None
        case "never":
            return f"mockbot_{measure}{unit}", float("inf")
        case MoreThan():
            return f"mockbot_{measure}_at_least{unit}", value.more_than
        case _:
            return f"mockbot_{measure}{unit}", value
