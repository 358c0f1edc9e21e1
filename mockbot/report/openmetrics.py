"""A judgement in, OpenMetrics text out, for a push gateway or a file that a collector reads: one gauge a measure.

Shares are ratios 0..1, durations scenario seconds; a time that never came is +Inf. A measure of which only a lower
bound is known becomes `..._at_least_seconds`, so that no dashboard takes the bound for the value.
"""

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from mockbot.evidence.judgement import Judgement
from mockbot.measures.table import TABLE
from mockbot.measures.text import UNITS
from mockbot.measures.values import Beyond, Undefined

LABELS = ("scenario", "phase", "group", "tier", "provider")


def openmetrics_text(summary: Judgement) -> str:
    """Every measure with a value, with its scope as labels; an empty label means "all of them"."""
    registry = CollectorRegistry()
    verdicts = Gauge("mockbot_verdict", "1 for the verdict of the run", ("scenario", "verdict"), registry=registry)
    for verdict in ("pass", "fail", "inconclusive"):
        verdicts.labels(summary.run.scenario, verdict).set(summary.verdict == verdict)
    gauges: dict[str, Gauge] = {}
    for row in summary.measures:
        scope = (row.scope.phase, row.scope.group, row.scope.tier, row.scope.provider)
        for measure, value in row.values.items():
            if isinstance(value, Undefined):
                continue
            bound = "_at_least" if isinstance(value, Beyond) else ""
            name = f"mockbot_{measure}{bound}{UNITS[TABLE[measure].unit].suffix}"
            if name not in gauges:
                gauges[name] = Gauge(name, TABLE[measure].text, LABELS, registry=registry)
            number = value.bound if isinstance(value, Beyond) else value.number
            gauges[name].labels(summary.run.scenario, *(label or "" for label in scope)).set(number)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()
