"""A grid of runs in, its outputs: a map of characters, sentences, CSV, JSON, a page in the look of the report."""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping

from rich.text import Text

from mockbot.report.colours import OUTCOME
from mockbot.report.figures import Chart, Json, plain, plot_layout
from mockbot.report.page import render
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.sweep.edges import EVIDENCE, share_interval
from mockbot.simulate.sweep.grid import Edge, Place, Point, Sweep, edges
from mockbot.simulate.sweep.wellness import windows
from mockbot.units.formatting import format_count, format_percent
from mockbot.units.quantities import duration_text

MARKS = {
    "recovered": ("·", "green"),
    "mixed": ("▚", "magenta"),
    "stuck": ("█", "red"),
    "overloaded": ("▒", "yellow"),
    "unasked": ("?", "dim"),
}
COLOURS = {
    "recovered": OUTCOME["ok"],  # the colours of the same
    "mixed": OUTCOME["timeout"],
    "stuck": OUTCOME["http_error"],
    "overloaded": OUTCOME["rate_limited"],
    "unasked": OUTCOME["blank"],
}
TICKS = 8  # at most on an axis, which a phone has room for
EDGES = ("#222222", "#355070", "#6d597a")  # of the laws, dark on all of them


def legend(sweep: Sweep) -> str:
    """What the characters mean."""
    shown = {point.state for point in sweep.points().values()}
    marks = ", ".join(f"{mark} {state}" for state, (mark, _) in MARKS.items() if state in shown)
    return f"{marks}; / the edge of theory" if laws(sweep) else marks


def laws(sweep: Sweep) -> tuple[str, ...]:
    """The laws that say something here."""
    return tuple(dict.fromkeys(law for point in sweep.points().values() for law in point.margins))


def sentences(sweep: Sweep) -> list[str]:
    """How the grid was judged, and where its edges are."""
    calm, end = windows(Timeline(sweep.scenario))
    last = duration_text(float(round(end.end - end.begin)))
    whom = "of the users who were well in the calm" if calm is not None else "of the users (no calm to compare with)"
    lines = [f"recovered: in the last {last} 90 % {whom} are well, their last prompt answered within the slo"]
    found = edges(sweep)
    if found:
        how = f"95 %, a binomial test over {format_count(sweep.seeds)} run{'s' * (sweep.seeds > 1)} of each point"
        lines.append(f"the edge, where half of the runs recover ({how} and of its neighbours):")
        if all(edge.low is edge.high is None for edge in found):
            lines.append(f"  too few runs to tell; take --seeds {max(EVIDENCE, 4 * sweep.seeds)}")
        else:
            lines += [f"  {edge_text(sweep, edge)}" for edge in found]
    if (weight := max((ran.weight for ran in sweep.ran.values()), default=1)) > 1:
        lines.append(f"users of large crowds are sampled: one stands for {weight:,} at most")
    return lines


def edge_text(sweep: Sweep, edge: Edge) -> str:
    """ "users 50: refresh between 12s and 16s; 15.5s by r = min(N, q + s)/C"."""
    across, up = sweep.axes[0], sweep.up
    low, high = (None if end is None else across.words(end) for end in (edge.low, edge.high))
    match low, high:
        case None, None:
            where = "not known, for want of runs"
        case None, _:
            where = f"below {high}"
        case _, None:
            where = f"above {low}"
        case _:
            where = f"between {low} and {high}"
    row = f"{up.name} {up.words(up.values[edge.row])}: " if up else ""
    theory = "".join(f"; {across.words(value)} by {law.partition(':')[0]}" for law, value in edge.theory.items())
    return f"{row}{across.name} {where}{theory}"


def terminal_map(sweep: Sweep) -> Text:
    """One row a value of the second axis, the largest on top; one character a value of the first."""
    across, up, points = sweep.axes[0], sweep.up, sweep.points()
    columns, rows = sweep.shape
    text = Text()
    for row in reversed(range(rows)):
        text.append(f"{up.words(up.values[row]) if up else '':>12} ")
        for column in range(columns):
            point = points.get((column, row))
            beside = [points.get(place) for place in ((column + 1, row), (column, row + 1))]
            if point and any(_differ(point, each) for each in beside if each):
                text.append("/", f"bold {MARKS[point.state][1]}")
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
    """A line a point. `down` of `runs` did not recover, with the 95 % interval of their share."""
    file = io.StringIO()
    told = ("state", "down", "runs", "down_low", "down_high", "well", "calm", "weight")
    writer = csv.DictWriter(file, [*(axis.name for axis in sweep.axes), *told, *laws(sweep)], restval="")
    writer.writeheader()
    writer.writerows(_row(sweep, point) | point.margins for point in sweep.points().values())
    return file.getvalue()


def as_json(sweep: Sweep) -> str:
    """The same for programs."""
    up = sweep.up
    whole: Json = {
        "scenario": sweep.scenario.name,
        "engine": sweep.engine,
        "seeds": sweep.seeds,
        "interrupted": bool(sweep.missing),
        "axes": {axis.name: axis.values for axis in sweep.axes},
        "size": sweep.size,
        "edges": [
            {
                **({up.name: up.values[edge.row]} if up else {}),
                "low": edge.low,
                "high": edge.high,
                "theory": edge.theory,
            }
            for edge in edges(sweep)
        ],
        "points": [_row(sweep, point) | {"margins": point.margins} for point in sweep.points().values()],
    }
    return json.dumps(whole, indent=1)


def _row(sweep: Sweep, point: Point) -> Json:
    values = {axis.name: f"{value:.6g}" for axis, value in zip(sweep.axes, point.values, strict=True)}
    low, high = share_interval(point.count) if point.count.runs else (0.0, 1.0)
    calm = [run.calm for run in point.runs if run.calm is not None]
    return {name: float(value) for name, value in values.items()} | {
        "state": point.state,
        "down": point.count.down,
        "runs": point.count.runs,
        "down_low": round(low, 4),
        "down_high": round(high, 4),
        "well": round(point.well, 4),
        "calm": round(sum(calm) / len(calm), 4) if calm else None,
        "weight": point.runs[0].weight,
    }


def page(sweep: Sweep, command: str) -> str:
    """`sweep.html`: self-contained, in the look of the report."""
    points = sweep.points()
    counts = {each: sum(point.state == each for point in points.values()) for each in MARKS}
    states = [state for state, count in counts.items() if count]
    bands = [[end / len(states), COLOURS[state]] for n, state in enumerate(states) for end in (n, n + 1)]
    ticks: Json = {"tickvals": [*range(len(states))], "ticktext": states, "len": 0.7}
    state: Json = {"z": _grid(sweep, points, lambda point: states.index(point.state))}
    state |= {"zmin": -0.5, "zmax": len(states) - 0.5, "colorscale": bands, "colorbar": ticks}
    well: Json = {"z": _grid(sweep, points, lambda point: 100 * point.well), "zmin": 0, "zmax": 100}
    shades = [[0, COLOURS["stuck"]], [0.5, COLOURS["overloaded"]], [1, COLOURS["recovered"]]]
    well |= {"colorscale": shades, "colorbar": {"ticksuffix": "%", "len": 0.7}}
    charts = (
        _chart(sweep, "states", "What becomes of it", "Colour: the simulated runs. Lines: theory's edges.", state),
        _chart(sweep, "well", "Users who are well in the end", "The mean over the runs of each point.", well),
    )
    how, *lines = sentences(sweep)
    return render(
        "sweep.html.j2", charts, sweep=sweep, counts=counts, laws=laws(sweep), how=how, lines=lines, command=command
    )


def _grid(
    sweep: Sweep, points: Mapping[Place, Point], what: Callable[[Point], float | str | None]
) -> list[list[float | str | None]]:
    columns, rows = sweep.shape
    every = ([points.get((column, row)) for column in range(columns)] for row in range(rows))
    return [[what(point) if point else None for point in row] for row in every]


def _chart(sweep: Sweep, name: str, title: str, caption: str, heat: Json) -> Chart:
    up, points = sweep.up, sweep.points()
    place: Json = {"x": sweep.axes[0].values, "y": up.values if up else (0.0,)}
    hover: Json = {"text": _grid(sweep, points, lambda point: _hover(sweep, point)), "hoverinfo": "text"}
    data: list[Json] = [{"type": "heatmap", **place, **heat, **hover, "hoverongaps": False, "showlegend": False}]
    for law, colour in zip(laws(sweep) if up else (), EDGES, strict=False):
        margins = _grid(sweep, points, lambda point, law=law: point.margins.get(law))  # type: ignore[misc]
        line: Json = {"color": colour, "width": 2.5}
        nought: Json = {"start": 0, "end": 0, "size": 1, "coloring": "none"}
        more: Json = {"name": plain(law), "showlegend": True, "showscale": False, "hoverinfo": "skip"}
        data.append({"type": "contour", **place, "z": margins, "contours": nought, "line": line, **more})
    axes: Json = {"yaxis": {"visible": False}}
    for key, axis in (("xaxis", sweep.axes[0]), ("yaxis", up)):
        if axis is not None:
            shown = axis.values[:: math.ceil(len(axis.values) / TICKS)]
            ticks: Json = {"tickvals": shown, "ticktext": [*map(axis.words, shown)]}
            axes[key] = {"title": {"text": axis.name}, "type": "log" if axis.geometric else "linear", **ticks}
    margin = {"l": 70, "r": 10, "t": 18, "b": 44}
    layout = plot_layout(440 if up else 200, margin, **axes)
    return Chart(name, title, caption, {"data": data, "layout": layout})


def _hover(sweep: Sweep, point: Point) -> str:
    """What a point's tooltip says."""
    values = [f"{axis.name} {axis.words(value)}" for axis, value in zip(sweep.axes, point.values, strict=True)]
    lines = [", ".join(values), f"{point.state}; {format_percent(point.well, 1)} of the users well in the end"]
    if point.count.runs > 1:
        low, high = (format_percent(end) for end in share_interval(point.count))
        lines.append(f"{point.count.down} of {point.count.runs} runs did not recover (95 %: {low} to {high})")
    if point.runs[0].weight > 1:
        lines.append(f"one in {point.runs[0].weight:,} users is sampled")
    return "<br>".join(lines)
