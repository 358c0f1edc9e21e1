"""Slices of time in, the pieces of Plotly figures out: plain JSON values that a page hands to Plotly in the browser.

All figures share one axis of scenario time (a date axis that begins at 00:00:00, so that zooming keeps readable ticks)
and the same shading of faults. Shares and percentiles are taken over as many slices as hold about 20 prompts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.series import Series
from mockbot.evidence.sketch import Sketch

Json = dict[str, object]
Curve = tuple[Sequence[float | None], int]  # values, and the seconds that each stands for
HOUR = 3600.0
FEW = 20  # prompts that a share or a percentile is taken over: with fewer it jumps by more than 5 points a prompt
SHADE = "rgba(120,120,120,0.13)"  # a grey, so that curves on it keep their hue
BORDER: Json = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "#999", "width": 1, "dash": "dot"}}
LABEL: Json = {"xanchor": "left", "y": 1, "yanchor": "bottom", "yref": "paper", "showarrow": False,
               "font": {"size": 10}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure with its heading and an explanation. `figure`: Plotly's `data` and `layout`."""

    id: str
    title: str
    caption: str
    figure: Json


def plain(text: str) -> str:
    """Escape a text for Plotly, which reads a little HTML in all of them."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def plot_layout(height: int, margin: dict[str, int], **more: object) -> Json:
    """The layout that the figures of every page share; `height` and `margin` in pixels."""
    return {
        "height": height,
        "margin": margin,
        "font": {"family": "system-ui, sans-serif", "size": 11},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top"},
        **more,
    }


def framed(chart: Chart, shades: list[Json], end: float, summary: Judgement) -> Chart:
    """The chart with the axis, shading, phase borders and phase names that all charts of a page share."""
    clock = "%-M:%S" if end < HOUR else "%-H:%M:%S"  # as format_clock
    begins = [(ms(phase.start), plain(phase.name)) for phase in summary.phases]
    phases = [LABEL | {"x": at, "text": name} for at, name in begins]
    layout: Json = plot_layout(230, {"l": 48, "r": 10, "t": 18, "b": 24}) | {
        "hovermode": "x unified",
        "shapes": [*shades, *(BORDER | {"x0": at, "x1": at} for at, _ in begins[1:])],
        "annotations": phases,
        "xaxis": {
            "type": "date",
            "range": [0, ms(end)],
            "tickformat": clock,
            "hoverformat": clock,
            "ticks": "outside",  # keeps 0:00 below the other axis's 0
            "ticklen": 6,
            "tickcolor": "rgba(0,0,0,0)",
        },
    }
    yaxis = {"rangemode": "tozero", "fixedrange": True}
    own = chart.figure.get("layout")
    for key, value in own.items() if isinstance(own, dict) else ():
        layout[key] = {**yaxis, **value} if key == "yaxis" else [*phases, *value] if key == "annotations" else value
    layout.setdefault("yaxis", yaxis)
    return Chart(chart.id, chart.title, chart.caption, {"data": chart.figure["data"], "layout": layout})


def ms(t: float) -> int:
    """Scenario seconds as milliseconds, the unit of a date axis."""
    return round(t * 1000)


def date(t: float) -> str:
    """Scenario seconds as a point among data: Plotly takes the number 6016 there for the year, not for milliseconds."""
    return f"{datetime.fromtimestamp(round(t, 3), UTC):%Y-%m-%d %H:%M:%S.%f}"


def shade(start: float, end: float) -> Json:
    """A grey rectangle from `start` to `end`, scenario seconds."""
    edges = {"x0": ms(start), "x1": ms(end), "y0": 0, "y1": 1}
    return {"type": "rect", "yref": "paper", **edges, "fillcolor": SHADE, "line": {"width": 0}, "layer": "below"}


def curve(name: str, values: Sequence[float | None], width: float, colour: str, **more: object) -> Json:
    """A line of one value for every `width` seconds from 0 on; None leaves a gap."""
    rounded = [None if value is None else float(f"{value:.4g}") for value in values]
    line = {"color": colour, "width": 1.5, "shape": "hv"}
    start: Json = {"x0": 0, "dx": ms(width), "y": rounded}
    return {"type": "scatter", "mode": "lines", "name": plain(name), **start, "line": line, **more}


def area(stack: str, colour: str) -> Json:
    """Filled, without a line, which Plotly would draw even where the area has no height."""
    return {"stackgroup": stack, "fillcolor": colour, "line": {"width": 0, "shape": "hv", "color": colour}}


def step_of(series: Series) -> int:
    """The number of slices that one share is taken over."""
    issued = sum(map(sum, series.issued.values()))
    return max(1, math.ceil(FEW * series.size / issued)) if issued else series.size


def sums(values: Sequence[int], step: int) -> list[int]:
    """The sum of every `step` slices."""
    return [sum(values[at : at + step]) for at in range(0, len(values), step)]


def ratios_of(parts: Sequence[int], wholes: Sequence[int]) -> list[float | None]:
    """Element by element; None where the whole is 0."""
    return [part / whole if whole else None for part, whole in zip(parts, wholes, strict=True)]


def merged(sketches: dict[int, Sketch], size: int, step: int) -> list[Sketch]:
    """One sketch for every `step` slices."""
    merged = []
    for start in range(0, size, step):
        sketch = Sketch()
        for at in range(start, start + step):
            if at in sketches:
                sketch.merge(sketches[at])
        merged.append(sketch)
    return merged


def per_prompt(series: Series) -> Curve:
    """Requests sent for each prompt issued in the same time."""
    step = step_of(series)
    return ratios_of(sums(series.sent, step), sums(series.total(series.issued), step)), step * series.width
