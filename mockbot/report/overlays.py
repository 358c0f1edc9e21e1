"""Two runs in, their courses one over the other out; the second is dashed."""

import math
from collections.abc import Callable, Sequence

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.series import Series
from mockbot.evidence.verdict import Judgement
from mockbot.report.colours import RUNS
from mockbot.report.figures import (
    Chart,
    Curve,
    curve,
    framed,
    merged,
    per_prompt,
    ratios_of,
    shade,
    step_of,
    sums,
    total,
)
from mockbot.report.summary import Summary


def overlays(
    runs: Sequence[RunEvidence], judgements: Sequence[Judgement], summaries: Sequence[Summary], names: Sequence[str]
) -> tuple[Chart, ...]:
    """The course of two runs, one over the other; the second is dashed."""
    many = [judgement.counters.series for judgement in judgements]
    made = [
        _over("good", "Good answers", "Share of the prompts that got a good answer.", names, many, _good_share),
        _over("sent", "Requests", "Requests sent per second.", names, many, _sent),
        _over(
            "amplification",
            "Amplification",
            "Requests sent for each prompt asked in the same time.",
            names,
            many,
            per_prompt,
        ),
        _over(
            "waiting", "Waiting", "95th percentile of the time to an answer, seconds; a gap: never.", names, many, _p95
        ),
    ]
    shades = [shade(*fault.measured) for fault in summaries[0].faults]
    return tuple(framed(chart, shades, runs[0].timeline.end, summaries[0]) for chart in made)


def _over(
    name: str, title: str, caption: str, names: Sequence[str], many: Sequence[Series], take: Callable[[Series], Curve]
) -> Chart:
    lines = []
    for n, (which, series) in enumerate(zip(names, many, strict=True)):
        values, width = take(series)
        line = {"color": RUNS[n], "width": 1.5, "shape": "hv", "dash": "dash" if n else "solid"}
        lines.append(curve(which, values, width, RUNS[n], line=line, connectgaps=False))
    layout = {"yaxis": {"range": [0, 1.02], "tickformat": ".0%"}} if name == "good" else {}
    return Chart(name, title, caption, {"data": lines, "layout": layout})


def _good_share(series: Series) -> Curve:
    step = step_of(series)
    good, issued = total(series.good, series), total(series.issued, series)
    return ratios_of(sums(good, step), sums(issued, step)), step * series.width


def _sent(series: Series) -> Curve:
    return [count / series.width for count in series.sent], series.width


def _p95(series: Series) -> Curve:
    step = step_of(series)
    found = [sketch.quantile(0.95) for sketch in merged(series.latency, series.size, step)]
    return [None if value == math.inf else value for value in found], step * series.width
