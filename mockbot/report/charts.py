"""The course of a run in, Plotly figures out: plain JSON values that the page hands to Plotly in the browser.

All charts share one axis of scenario time (a date axis that begins at 00:00:00, so that zooming keeps readable ticks)
and the same shading of what was wrong. Shares and percentiles are taken over as many slices as it takes for about 20
prompts.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.measures import service_time
from mockbot.evidence.records import OUTCOMES, Outcome
from mockbot.evidence.series import Series
from mockbot.evidence.sketch import Sketch
from mockbot.evidence.verdict import Judgement
from mockbot.report.summary import Summary
from mockbot.report.words import fault_words

Json = dict[str, object]
FEW = 20  # prompts that a share or a percentile is taken over
COLOURS: dict[Outcome, str] = {
    "ok": "#2a9d8f", "http_error": "#d1495b", "rate_limited": "#edae49", "refused": "#6d597a", "reset": "#b56576",
    "timeout": "#355070", "slow": "#8d99ae", "truncated": "#9d4edd", "error_event": "#c77dff", "malformed": "#7f5539",
    "blank": "#adb5bd", "unfinished": "#495057",
}  # fmt: skip
LINES = ("#355070", "#d1495b", "#2a9d8f", "#edae49", "#6d597a", "#7f5539", "#9d4edd", "#495057")
SHADE = "rgba(209,73,91,0.10)"


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure with its heading and what to see in it."""

    id: str
    title: str
    caption: str
    figure: Json


def charts(evidence: RunEvidence, judgement: Judgement, summary: Summary) -> tuple[Chart, ...]:
    """Every chart of the report, from top to bottom."""
    series = judgement.tally.series
    shades = [_shade(start, end) for start, end in (fault.measured for fault in summary.faults)]
    if not shades and summary.disturbance.begin is not None and summary.disturbance.clear is not None:
        shades = [_shade(summary.disturbance.begin, summary.disturbance.clear)]
    made = (
        _wrong(evidence, summary),
        _good(series),
        _outcomes(series),
        _latency(series),
        _capacity(series, service_time(judgement.tally)),
        _queue(series),
        _amplification(series),
        _users(evidence, series),
    )
    return tuple(_framed(chart, shades, evidence.timeline.end, summary) for chart in made)


def plain(text: str) -> str:
    """Plotly reads a little HTML in every text; a scenario's words are none."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _framed(chart: Chart, shades: list[Json], end: float, summary: Summary) -> Chart:
    """The same axis, shading and phase borders under each."""
    layout: Json = {
        "height": 230,
        "margin": {"l": 48, "r": 10, "t": 18, "b": 24},
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": "#333"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top"},
        "shapes": [*shades, *(_border(phase.start) for phase in summary.phases[1:])],
        "annotations": [_name(phase.start, phase.name) for phase in summary.phases],
        "xaxis": {
            "type": "date",
            "range": [0, _ms(end)],
            "tickformat": "%H:%M:%S",
            "hoverformat": "%H:%M:%S",
            "gridcolor": "#eee",
        },
    }
    yaxis = {"rangemode": "tozero", "gridcolor": "#eee", "zerolinecolor": "#ccc", "fixedrange": True}
    own = chart.figure.get("layout")
    for key, value in own.items() if isinstance(own, dict) else ():
        layout[key] = {**yaxis, **value} if key == "yaxis" else value
    layout.setdefault("yaxis", yaxis)
    return Chart(chart.id, chart.title, chart.caption, {"data": chart.figure["data"], "layout": layout})


def _ms(t: float) -> int:
    return round(t * 1000)


def _shade(start: float, end: float) -> Json:
    edges = {"x0": _ms(start), "x1": _ms(end), "y0": 0, "y1": 1}
    return {"type": "rect", "yref": "paper", **edges, "fillcolor": SHADE, "line": {"width": 0}, "layer": "below"}


def _border(t: float) -> Json:
    line = {"color": "#999", "width": 1, "dash": "dot"}
    return {"type": "line", "yref": "paper", "x0": _ms(t), "x1": _ms(t), "y0": 0, "y1": 1, "line": line}


def _name(t: float, name: str) -> Json:
    place: Json = {"x": _ms(t), "xanchor": "left", "y": 1, "yanchor": "bottom", "yref": "paper", "showarrow": False}
    return {**place, "text": plain(name), "font": {"size": 10, "color": "#777"}}


def _line(name: str, values: Sequence[float | None], width: float, colour: str, **more: object) -> Json:
    told = [None if value is None else float(f"{value:.4g}") for value in values]
    line = {"color": colour, "width": 1.5, "shape": "hv"}
    start: Json = {"x0": 0, "dx": _ms(width), "y": told}
    return {"type": "scatter", "mode": "lines", "name": plain(name), **start, "line": line, **more}


def _area(stack: str, colour: str) -> Json:
    """Filled, without a line: an area of nothing would still draw one along its neighbour."""
    return {"stackgroup": stack, "fillcolor": colour, "line": {"width": 0, "shape": "hv", "color": colour}}


def _wrong(evidence: RunEvidence, summary: Summary) -> Chart:
    """One bar a fault, and what the status page said."""
    bars: list[Json] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [plain(span.id)],
            "text": [plain(fault_words(span))],
            "textposition": "auto",
            "textfont": {"size": 11},
            "cliponaxis": False,
            "base": [_ms(seen.measured[0])],
            "x": [_ms(seen.measured[1] - seen.measured[0])],
            "marker": {"color": COLOURS["http_error"]},
            "hovertemplate": f"{plain(span.id)}<br>hit {seen.felt:,} requests<extra></extra>",
            "showlegend": False,
        }
        for span, seen in zip(evidence.timeline.faults, summary.faults, strict=True)
    ]
    rows = len(evidence.timeline.faults) + bool(evidence.scenario.status_page)
    layout: Json = {
        "height": 64 + 26 * max(1, rows),
        "hovermode": "closest",
        "barmode": "overlay",
        "yaxis": {"showticklabels": False, "autorange": "reversed", "rangemode": "normal"},
    }
    page = [_status(evidence)] if evidence.scenario.status_page else []
    caption = "Faults as they were measured to hold, and what the status page said when."
    return Chart("wrong", "What was wrong", caption, {"data": [*bars, *page], "layout": layout})


def _status(evidence: RunEvidence) -> Json:
    """A marker at each word of the status page."""
    changes = [state for t in evidence.timeline.changes() if (state := evidence.timeline.at(t).status) is not None]
    said = list(dict.fromkeys(changes))
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [_ms(state.since) for state in said],
        "y": ["status page"] * len(said),
        "text": [plain(state.update.state) for state in said],
        "textposition": ["top right", "bottom right"] * len(said),  # neighbours do not overlap
        "hovertext": [plain(state.update.says or state.update.state) for state in said],
        "hoverinfo": "text",
        "marker": {"color": "#355070", "size": 9, "symbol": "diamond"},
        "showlegend": False,
    }


def _step(series: Series) -> int:
    """Over how many slices a share is taken."""
    issued = sum(map(sum, series.issued.values()))
    return max(1, math.ceil(FEW * series.size / issued)) if issued else series.size


def _sums(values: Sequence[int], step: int) -> list[int]:
    return [sum(values[at : at + step]) for at in range(0, len(values), step)]


def _ratios(parts: Sequence[int], wholes: Sequence[int]) -> list[float | None]:
    return [part / whole if whole else None for part, whole in zip(parts, wholes, strict=True)]


def _good(series: Series) -> Chart:
    step = min(series.size, _step(series) * max(1, len(series.issued)))
    lines = [
        _line(
            group,
            _ratios(_sums(series.good[group], step), _sums(issued, step)),
            step * series.width,
            LINES[n % len(LINES)],
            connectgaps=False,
        )
        for n, (group, issued) in enumerate(sorted(series.issued.items()))
    ]
    caption = "Share of the prompts that got a good answer, by when they were asked. A gap: nobody could ask."
    layout: Json = {"yaxis": {"range": [0, 1.02], "tickformat": ".0%"}}
    return Chart("good", "Good answers", caption, {"data": lines, "layout": layout})


def _outcomes(series: Series) -> Chart:
    areas = [
        _line(
            name,
            [count / series.width for count in series.outcomes[name]],
            series.width,
            COLOURS[name],
            **_area("o", COLOURS[name]),
        )
        for name in OUTCOMES
        if name in series.outcomes
    ]
    caption = "Requests per second by what became of them, by when they were sent."
    return Chart("outcomes", "Requests", caption, {"data": areas})


def _latency(series: Series) -> Chart:
    step = _step(series)
    total, first = _merged(series.latency, series.size, step), _merged(series.first_token, series.size, step)
    width = step * series.width
    wanted = (("first token, p50", first, 0.5), ("answer, p50", total, 0.5), ("answer, p95", total, 0.95))
    found = [(name, [sketch.quantile(q) for sketch in sketches]) for name, sketches, q in wanted]
    top = max((value for _, values in found for value in _finite(values)), default=1.0) * 1.5
    lines = [
        _line(name, [None if value == math.inf else value for value in values], width, colour, connectgaps=False)
        for (name, values), colour in zip(found, ("#8d99ae", LINES[0], LINES[1]), strict=True)
    ]
    never = [_never(name, values, width, top, colour) for (name, values), colour in zip(found[1:], LINES, strict=False)]
    caption = (
        "Seconds from when it should have been asked; on a logarithmic scale. A cross: that share was never answered."
    )
    layout: Json = {"yaxis": {"type": "log", "rangemode": "normal", "ticksuffix": " s"}}
    return Chart("latency", "Waiting", caption, {"data": [*lines, *filter(None, never)], "layout": layout})


def _finite(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and value < math.inf]


def _never(name: str, values: Sequence[float | None], width: int, top: float, colour: str) -> Json | None:
    at = [_ms(n * width) for n, value in enumerate(values) if value == math.inf]
    marker = {"symbol": "x", "size": 5, "color": colour}
    told = {"name": f"{name}: never", "marker": marker, "hovertemplate": "never"}
    return {"type": "scatter", "mode": "markers", "x": at, "y": [float(f"{top:.4g}")] * len(at), **told} if at else None


def _merged(sketches: dict[int, Sketch], size: int, step: int) -> list[Sketch]:
    merged = []
    for start in range(0, size, step):
        sketch = Sketch()
        for at in range(start, start + step):
            if at in sketches:
                sketch.merge(sketches[at])
        merged.append(sketch)
    return merged


def _capacity(series: Series, cost: float | None) -> Chart:
    lines = []
    for n, (name, side) in enumerate(sorted(series.providers.items())):
        colour = LINES[n % len(LINES)]
        lines.append(_line(f"{name}: requests", [count / series.width for count in side.offered], series.width, colour))
        if cost is not None:
            could = [slots / series.width / cost for slots in side.capacity]
            lines.append(_line(f"{name}: could answer", could, series.width, colour))
            lines[-1]["line"] = {"color": colour, "width": 1.5, "dash": "dash", "shape": "hv"}
    caption = "Requests per second that reached each provider, against the answers per second that it can give."
    return Chart("capacity", "Offered against capacity", caption, {"data": lines})


def _queue(series: Series) -> Chart:
    lines = []
    for n, (name, side) in enumerate(sorted(series.providers.items())):
        lines.append(_line(f"{name}: waiting", side.queued, series.width, LINES[n % len(LINES)]))
        lines.append(_line(f"{name}: being answered", side.running, series.width, LINES[n % len(LINES)], opacity=0.45))
    return Chart("queue", "Queue", "Requests inside each provider, the most at one time.", {"data": lines})


def _amplification(series: Series) -> Chart:
    step = _step(series)
    issued = [sum(counts) for counts in zip(*series.issued.values(), strict=True)] or [0] * series.size
    ratios = _ratios(_sums(series.sent, step), _sums(issued, step))
    line = _line("requests per prompt", ratios, step * series.width, LINES[0], connectgaps=False)
    caption = "Requests sent for each prompt asked in the same time; 1 when nothing is retried."
    return Chart("amplification", "Amplification", caption, {"data": [line]})


def _users(evidence: RunEvidence, series: Series) -> Chart:
    looks = [evidence.timeline.at(at * series.width) for at in range(series.size)]
    lines = [
        _line(
            f"{group}{suffix}",
            [crowd[group] for crowd in crowds],
            series.width,
            LINES[n % len(LINES)],
            **_area("u", LINES[n % len(LINES)]),
        )
        for suffix, crowds in (
            ("", [look.users for look in looks]),
            (", prompts per second", [look.arrivals for look in looks]),
        )
        for n, group in enumerate(crowds[0] if crowds else ())
    ]
    return Chart("users", "Crowd", "Users, or prompts per second, that the scenario sends.", {"data": lines})
