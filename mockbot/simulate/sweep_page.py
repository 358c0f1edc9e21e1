"""A map in, what people and programs read out: a map of characters, a table, JSON, and a page that works offline."""

import csv
import io
import json
from collections.abc import Callable, Sequence

from rich.text import Text

from mockbot.report.figures import Chart, Json, plain
from mockbot.report.page import render
from mockbot.simulate.sweep import Point, State, Sweep
from mockbot.simulate.sweep_axes import Axis

MARKS: dict[State, str] = {"recovered": "·", "stuck": "█", "overloaded": "▒"}
EXACT: dict[State, str] = {"recovered": "o", "stuck": "X", "overloaded": "#"}
STYLES: dict[State, str] = {"recovered": "green", "stuck": "red", "overloaded": "yellow"}
COLOURS: dict[State, str] = {"recovered": "#2a9d8f", "stuck": "#d1495b", "overloaded": "#edae49"}
EDGES = ("#222222", "#355070", "#6d597a")
CODES: dict[State, int] = {"recovered": 0, "stuck": 1, "overloaded": 2}


def legend(sweep: Sweep) -> str:
    """What the characters mean."""
    marks = ", ".join(f"{MARKS[state]} {state} ({EXACT[state]} exact, too)" for state in MARKS)
    edge = "; / the edge of theory" if sweep.laws else ""
    return f"{marks}; ! exact and fluid differ{edge}"


def terminal_map(sweep: Sweep) -> Text:
    """One row a value of the second axis, the largest on top; one character a value of the first."""
    across, up = _two(sweep)
    text = Text()
    for row in reversed(range(len(up.values) if up else 1)):
        text.append(f"{up.words(up.values[row]) if up else '':>12} ")
        for column in range(len(across.values)):
            point = sweep.points.get((column, row) if up else (column,))
            text.append(*_mark(sweep, point, column, row))
        text.append("\n")
    low, high = across.words(across.values[0]), across.words(across.values[-1])
    gap = max(1, len(across.values) - len(low) - len(high))
    text.append(f"{up.name if up else '':>12} {low}{' ' * gap}{high}  {across.name}\n", style="dim")
    return text


def _mark(sweep: Sweep, point: Point | None, column: int, row: int) -> tuple[str, str]:
    if point is None:
        return " ", ""
    if point.exact is not None:
        return (EXACT[point.state] if point.exact == point.state else "!"), f"bold {STYLES[point.state]}"
    return ("/", "bold blue") if _at_edge(sweep, point, column, row) else (MARKS[point.state], STYLES[point.state])


def _at_edge(sweep: Sweep, point: Point, column: int, row: int) -> bool:
    """Theory says something else of the point to its right, or above it."""
    place = (column, row)[: len(sweep.axes)]
    for axis in range(len(sweep.axes)):
        beside = sweep.points.get(tuple(index + (number == axis) for number, index in enumerate(place)))
        if beside is not None and any(
            (point.margins[law] > 0) != (beside.margins[law] > 0) for law in point.margins if law in beside.margins
        ):
            return True
    return False


def _two(sweep: Sweep) -> tuple[Axis, Axis | None]:
    return sweep.axes[0], sweep.axes[1] if len(sweep.axes) > 1 else None


def table(sweep: Sweep) -> str:
    """CSV: a line a point."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([*(axis.name for axis in sweep.axes), "fluid", "good", "exact", *sweep.laws])
    for point in sweep.points.values():
        margins = (f"{point.margins[law]:.4g}" if law in point.margins else "" for law in sweep.laws)
        values = (f"{value:.6g}" for value in point.values)
        writer.writerow([*values, point.state, f"{point.good:.4f}", point.exact or "", *margins])
    return file.getvalue()


def as_json(sweep: Sweep) -> str:
    """The same for programs."""
    agreed, of = sweep.agreement()
    value: Json = {
        "scenario": sweep.scenario.name,
        "simulated": "fluid",
        "interrupted": sweep.interrupted,
        "axes": {axis.name: axis.values for axis in sweep.axes},
        "size": sweep.size,
        "exact": {"runs": of, "agreed": agreed},
        "points": [
            {
                **dict(zip((axis.name for axis in sweep.axes), point.values, strict=True)),
                "fluid": point.state,
                "good": round(point.good, 4),
                "exact": point.exact,
                "margins": {law: round(margin, 4) for law, margin in point.margins.items()},
            }
            for point in sweep.points.values()
        ],
    }
    return json.dumps(value, indent=1)


def page(sweep: Sweep, command: str) -> str:
    """`sweep.html`: self-contained, in the look of the report."""
    agreed, of = sweep.agreement()
    counts = {state: sum(point.state == state for point in sweep.points.values()) for state in MARKS}
    return render(
        "sweep.html.j2",
        (_states(sweep), _good(sweep)),
        title=sweep.scenario.title,
        name=sweep.scenario.name,
        axes=[(axis.name, axis.words(axis.values[0]), axis.words(axis.values[-1])) for axis in sweep.axes],
        counts=counts,
        done=len(sweep.points),
        size=sweep.size,
        interrupted=sweep.interrupted,
        agreed=agreed,
        of=of,
        laws=sweep.laws,
        command=command,
        differ=[point for point in sweep.points.values() if point.exact not in (None, point.state)],
        words=[axis.words for axis in sweep.axes],
    )


def _states(sweep: Sweep) -> Chart:
    scale = [[end, colour] for code, colour in enumerate(COLOURS.values()) for end in (code / 3, (code + 1) / 3)]
    grid: Json = {
        "z": _grid(sweep, lambda point: CODES[point.state]),
        "zmin": -0.5,
        "zmax": 2.5,
        "colorscale": scale,
        "colorbar": {"tickvals": list(CODES.values()), "ticktext": list(CODES), "len": 0.7},
    }
    said = "Colour: what the fluid says. Circles: what the exact engine says there. Lines: theory's edges."
    return _chart(sweep, "states", "What becomes of it", said, grid, exact=True)


def _good(sweep: Sweep) -> Chart:
    grid: Json = {
        "z": _grid(sweep, lambda point: round(100 * point.good, 2)),
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, "#d1495b"], [0.5, "#edae49"], [1, "#2a9d8f"]],
        "colorbar": {"ticksuffix": "%", "len": 0.7},
    }
    said = "Answers over prompts issued, from the end of the disturbance to the end of the run."
    return _chart(sweep, "good", "Share answered afterwards", said, grid, exact=False)


def _grid(sweep: Sweep, what: Callable[[Point], float | None]) -> list[list[float | None]]:
    across, up = _two(sweep)
    rows = range(len(up.values)) if up else range(1)
    places = ([(column, row)[: len(sweep.axes)] for column in range(len(across.values))] for row in rows)
    return [[what(point) if (point := sweep.points.get(place)) else None for place in row] for row in places]


def _chart(sweep: Sweep, name: str, title: str, caption: str, grid: Json, *, exact: bool) -> Chart:
    across, up = _two(sweep)
    x: Sequence[float] = across.values
    y: Sequence[float] = up.values if up else (0.0,)
    place: Json = {"x": x, "y": y}
    data: list[Json] = [{"type": "heatmap", **place, **grid, "hoverongaps": False, "showlegend": False}]
    if up is not None:
        data += [_edge(sweep, law, colour, place) for law, colour in zip(sweep.laws, EDGES, strict=False)]
    if exact:
        data += [_dots(sweep, state) for state in MARKS]
    axes = {key: _axis(axis) for key, axis in (("xaxis", across), ("yaxis", up)) if axis is not None}
    layout: Json = {
        "height": 440 if up else 200,
        "margin": {"l": 70, "r": 10, "t": 18, "b": 44},
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": "#333"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top"},
        "yaxis": {"visible": False},
        **axes,
    }
    return Chart(name, title, caption, {"data": data, "layout": layout})


def _edge(sweep: Sweep, law: str, colour: str, place: Json) -> Json:
    """Where a law's margin is nought."""
    return {
        "type": "contour",
        **place,
        "z": _grid(sweep, lambda point: point.margins.get(law)),
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": {"color": colour, "width": 2.5},
        "name": plain(law),
        "showlegend": True,
        "showscale": False,
        "hoverinfo": "skip",
        "connectgaps": False,
    }


def _dots(sweep: Sweep, state: State) -> Json:
    points = [point for point in sweep.points.values() if point.exact == state]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [point.values[0] for point in points],
        "y": [point.values[1] if len(point.values) > 1 else 0.0 for point in points],
        "marker": {"color": COLOURS[state], "size": 11, "line": {"color": "#fff", "width": 2}},
        "name": f"exact: {state}",
        "hovertemplate": f"exact: {state}<extra></extra>",
        "visible": bool(points),
    }


def _axis(axis: Axis) -> Json:
    unit = ", seconds" if axis.words(90.0) == "1m30s" else ""
    return {"title": {"text": axis.name + unit}, "type": "log" if axis.geometric else "linear", "gridcolor": "#eee"}
