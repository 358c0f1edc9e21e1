"""A grid of runs in, its outputs: a map of characters, CSV, JSON, a page in the look of the report."""

import csv
import io
import json
import math
from collections.abc import Callable

from rich.text import Text

from mockbot.report.colours import OUTCOME
from mockbot.report.figures import Chart, Json, plain, plot_layout
from mockbot.report.page import render
from mockbot.simulate.sweep.grid import Point, State, Sweep

MARKS: dict[State, tuple[str, str]] = {
    "recovered": ("·", "green"),
    "stuck": ("█", "red"),
    "overloaded": ("▒", "yellow"),
}
FINE, STUCK, OVER = OUTCOME["ok"], OUTCOME["http_error"], OUTCOME["rate_limited"]  # the colours of the same
EDGES = ("#222222", "#355070", "#6d597a")  # of the laws, dark on all three


def legend(sweep: Sweep) -> str:
    """What the characters mean."""
    marks = ", ".join(f"{mark} {state}" for state, (mark, _) in MARKS.items())
    return f"{marks}; / the edge of theory" if sweep.laws else marks


def terminal_map(sweep: Sweep) -> Text:
    """One row a value of the second axis, the largest on top; one character a value of the first."""
    across, up = sweep.axes[0], sweep.up
    columns, rows = sweep.shape
    text = Text()
    for row in reversed(range(rows)):
        text.append(f"{up.words(up.values[row]) if up else '':>12} ")
        for column in range(columns):
            point = sweep.points.get((column, row))
            beside = [sweep.points.get(place) for place in ((column + 1, row), (column, row + 1))]
            if point and any(_differ(point, each) for each in beside if each):
                text.append("/", "bold blue")
            else:
                text.append(*(MARKS[point.state] if point else " "))
        text.append("\n")
    low, high = across.words(across.values[0]), across.words(across.values[-1])
    gap = max(1, len(across.values) - len(low) - len(high))
    text.append(f"{up.name if up else '':>12} {low}{' ' * gap}{high}  {across.name}\n", style="dim")
    return text


def _differ(one: Point, other: Point) -> bool:
    """A law of theory has its edge between these points."""
    return any((margin > 0) != (other.margins[law] > 0) for law, margin in one.margins.items() if law in other.margins)


def as_csv(sweep: Sweep) -> str:
    """A line a point."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [*(axis.name for axis in sweep.axes), "state", "good", *sweep.laws], restval="")
    writer.writeheader()
    writer.writerows(_row(sweep, point) | point.margins for point in sweep.points.values())
    return file.getvalue()


def as_json(sweep: Sweep) -> str:
    """The same for programs."""
    whole: Json = {
        "scenario": sweep.scenario.name,
        "engine": sweep.engine,
        "interrupted": sweep.interrupted,
        "axes": {axis.name: axis.values for axis in sweep.axes},
        "size": math.prod(sweep.shape),
        "points": [_row(sweep, point) | {"margins": point.margins} for point in sweep.points.values()],
    }
    return json.dumps(whole, indent=1)


def _row(sweep: Sweep, point: Point) -> Json:
    values = {axis.name: f"{value:.6g}" for axis, value in zip(sweep.axes, point.values, strict=True)}
    return {name: float(value) for name, value in values.items()} | {"state": point.state, "good": point.good}


def page(sweep: Sweep, command: str) -> str:
    """`sweep.html`: self-contained, in the look of the report."""
    states = list(MARKS)
    bands = [[end, colour] for n, colour in enumerate((FINE, STUCK, OVER)) for end in (n / 3, (n + 1) / 3)]
    ticks: Json = {"tickvals": [0, 1, 2], "ticktext": states, "len": 0.7}
    state: Json = {"z": _grid(sweep, lambda point: states.index(point.state)), "zmin": -0.5, "zmax": 2.5}
    good: Json = {"z": _grid(sweep, lambda point: 100 * point.good), "zmin": 0, "zmax": 100}
    state |= {"colorscale": bands, "colorbar": ticks}
    good |= {"colorscale": [[0, STUCK], [0.5, OVER], [1, FINE]], "colorbar": {"ticksuffix": "%", "len": 0.7}}
    caption = "Answers over prompts issued, from the end of the disturbance to the end of the run."
    charts = (
        _chart(sweep, "states", "What becomes of it", "Colour: the simulated runs. Lines: theory's edges.", state),
        _chart(sweep, "good", "Share answered afterwards", caption, good),
    )
    counts = {each: sum(point.state == each for point in sweep.points.values()) for each in states}
    return render("sweep.html.j2", charts, sweep=sweep, counts=counts, size=math.prod(sweep.shape), command=command)


def _grid(sweep: Sweep, what: Callable[[Point], float | None]) -> list[list[float | None]]:
    columns, rows = sweep.shape
    points = ([sweep.points.get((column, row)) for column in range(columns)] for row in range(rows))
    return [[what(point) if point else None for point in row] for row in points]


def _chart(sweep: Sweep, name: str, title: str, caption: str, heat: Json) -> Chart:
    up = sweep.up
    place: Json = {"x": sweep.axes[0].values, "y": up.values if up else (0.0,)}
    data: list[Json] = [{"type": "heatmap", **place, **heat, "hoverongaps": False, "showlegend": False}]
    for law, colour in zip(sweep.laws if up else (), EDGES, strict=False):
        margins = _grid(sweep, lambda point, law=law: point.margins.get(law))  # type: ignore[misc]
        line: Json = {"color": colour, "width": 2.5}
        nought: Json = {"start": 0, "end": 0, "size": 1, "coloring": "none"}
        more: Json = {"name": plain(law), "showlegend": True, "showscale": False, "hoverinfo": "skip"}
        data.append({"type": "contour", **place, "z": margins, "contours": nought, "line": line, **more})
    axes: Json = {"yaxis": {"visible": False}}
    for key, axis in (("xaxis", sweep.axes[0]), ("yaxis", up)):
        if axis is not None:
            scale = "log" if axis.geometric else "linear"
            axes[key] = {"title": {"text": axis.title}, "type": scale, "gridcolor": "#eee"}
    margin = {"l": 70, "r": 10, "t": 18, "b": 44}
    layout = plot_layout(440 if up else 200, margin, **axes)
    return Chart(name, title, caption, {"data": data, "layout": layout})
