"""Two judged runs in, charts with a line for each run out; the second is dashed."""

import math
from collections.abc import Sequence

from mockbot.evidence.series import Series
from mockbot.evidence.verdict import JudgedRun
from mockbot.report import figures
from mockbot.report.colours import RUNS
from mockbot.report.figures import Chart, Curve

CHARTS = (  # id, title and caption, in the order of `_curves`
    ("good", "Good answers", "Share of the prompts that got a good answer."),
    ("sent", "Requests", "Requests sent per second."),
    ("amplification", "Amplification", "Requests sent for each prompt asked in the same time."),
    ("waiting", "Latency", "95th percentile of the time to an answer, seconds; a gap: never."),
)


def overlays(runs: Sequence[JudgedRun], names: Sequence[str]) -> tuple[Chart, ...]:
    """One chart for each measure, with a line for each run."""
    shades = [figures.shade(*fault.measured) for fault in runs[0].judgement.faults]
    both = zip(*(_curves(run.counters.series) for run in runs), strict=True)
    end = max(run.evidence.timeline.end for run in runs)
    charts = []
    for (name, title, caption), curves in zip(CHARTS, both, strict=True):
        lines = []
        for name_of_run, (values, width), colour, dash in zip(names, curves, RUNS, ("solid", "dash"), strict=True):
            line = {"color": colour, "width": 1.5, "shape": "hv", "dash": dash}
            lines.append(figures.curve(name_of_run, values, width, colour, line=line, connectgaps=False))
        layout = {"yaxis": {"range": [0, 1.02], "tickformat": ".0%"}} if name == "good" else {}
        chart = Chart(name, title, caption, {"data": lines, "layout": layout})
        charts.append(figures.framed(chart, shades, end, runs[0].judgement))
    return tuple(charts)


def _curves(series: Series) -> tuple[Curve, ...]:
    step = figures.step_of(series)
    good, issued = (figures.sums(series.total(counts), step) for counts in (series.good, series.issued))
    p95 = [sketch.quantile(0.95) for sketch in figures.merged(series.latency, series.size, step)]
    return (
        (figures.ratios_of(good, issued), step * series.width),
        ([count / series.width for count in series.sent], series.width),
        figures.per_prompt(series),
        ([None if value == math.inf else value for value in p95], step * series.width),
    )
