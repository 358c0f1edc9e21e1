"""Answers in, `explain.html` out: one file that works without a network, in the look of the report."""

from collections.abc import Mapping, Sequence

from mockbot.report.colours import RUNS
from mockbot.report.figures import Chart, Json, plain, plot_layout
from mockbot.report.page import render
from mockbot.scenario.schema import Scenario
from mockbot.simulate.explain.answer import Answer, Figure


def page(scenario: Scenario, answers: Sequence[Answer], whole: Mapping[str, object]) -> str:
    """The same bytes for the same answers."""
    return render(
        "explain.html.j2",
        shares(answers),
        title=scenario.title,
        name=scenario.name,
        teaches=scenario.teaches,
        answers=answers,
        whole=whole,
    )


def shares(answers: Sequence[Answer]) -> tuple[Chart, ...]:
    """Every share of good answers that was simulated as a bar, the live run's as a diamond on it; none without any."""
    told = [figure for answer in answers for figure in answer.figures if figure.measure == "availability"]
    simulated = [figure for figure in told if figure.simulated is not None and figure.simulated.mean is not None]
    if not simulated:
        return ()
    live: Json = {"type": "scatter", "mode": "markers", "name": "live", "marker": {"symbol": "diamond", "size": 9}}
    live |= {"x": [figure.live for figure in simulated], "y": _names(simulated)}
    data = [_bars(simulated), *([live] if any(figure.live is not None for figure in simulated) else [])]
    layout = plot_layout(
        90 + 34 * len(simulated),
        {"l": 10, "r": 10, "t": 18, "b": 40},
        xaxis={"range": [0, 1.02], "tickformat": ".0%", "gridcolor": "#eee"},
        yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom"},
    )
    caption = "Bars: simulated, with the 95 % interval of the mean. Diamonds: live, where there is a run."
    return (Chart("shares", "Who gets good answers", caption, {"data": data, "layout": layout}),)


def _bars(figures: Sequence[Figure]) -> Json:
    intervals = [figure.simulated for figure in figures]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "simulated",
        "x": [each.mean for each in intervals if each is not None],
        "y": _names(figures),
        "error_x": {"type": "data", "array": [each.half or 0 for each in intervals if each is not None]},
        "marker": {"color": RUNS[0]},
    }


def _names(figures: Sequence[Figure]) -> list[str]:
    return [plain(figure.what) for figure in figures]
