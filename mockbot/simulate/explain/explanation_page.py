"""Answers in, `explain.html` out: one file that works without a network, in the look of the report."""

from collections.abc import Mapping, Sequence

from mockbot.report.colours import RUNS
from mockbot.report.figures import Chart, Json, plain, plot_layout
from mockbot.report.page import render
from mockbot.scenario.schema import Scenario
from mockbot.simulate.explain.answer import Answer


def page(scenario: Scenario, answers: Sequence[Answer], whole: Mapping[str, object]) -> str:
    """The same bytes for the same answers; `whole`: the JSON of all of them."""
    names = {"title": scenario.title, "name": scenario.name, "teaches": scenario.teaches}
    return render("explain.html.j2", shares(answers), **names, answers=answers, whole=whole)


def shares(answers: Sequence[Answer]) -> tuple[Chart, ...]:
    """Every share of good answers that was simulated as a bar, the live run's as a diamond on it; none without any."""
    # Several answers begin with the file as written: bars of one name would lie end to end.
    figures = {
        figure.what: figure for answer in answers for figure in answer.figures if figure.measure == "availability"
    }
    bars = [(each, each.simulated) for each in figures.values() if each.simulated.mean is not None]
    if not bars:
        return ()
    names = [plain(figure.what) for figure, _ in bars]
    live_shares = [figure.live for figure, _ in bars]
    simulated: Json = {"type": "bar", "orientation": "h", "name": "simulated", "marker": {"color": RUNS[0]}}
    simulated |= {"x": [each.mean for _, each in bars], "y": names}
    simulated |= {"error_x": {"type": "data", "array": [each.half or 0 for _, each in bars]}}
    live: Json = {"type": "scatter", "mode": "markers", "name": "live", "marker": {"symbol": "diamond", "size": 9}}
    live |= {"x": live_shares, "y": names}
    layout = plot_layout(
        90 + 34 * len(bars),
        {"l": 10, "r": 10, "t": 18, "b": 40},
        xaxis={"range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom"},
    )
    data = [simulated, live] if any(each is not None for each in live_shares) else [simulated]
    caption = "Bars: simulated, with the 95 % interval of the mean. Diamonds: live, where there is a run."
    return (Chart("shares", "Who gets good answers", caption, {"data": data, "layout": layout}),)
