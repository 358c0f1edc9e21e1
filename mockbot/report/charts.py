"""The course of a run in, the figures of its report out, from top to bottom."""

import math
from collections.abc import Mapping, Sequence

from mockbot.evidence.formulas import service_time
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import OUTCOMES
from mockbot.evidence.series import Series
from mockbot.evidence.verdict import Judgement
from mockbot.report.colours import FAULT, OUTCOME, QUANTILES, STATUS, group_colours, provider_colours
from mockbot.report.figures import (
    Chart,
    Json,
    area,
    curve,
    framed,
    merged,
    ms,
    per_prompt,
    plain,
    ratios_of,
    shade,
    step_of,
    sums,
)
from mockbot.report.summary import Summary
from mockbot.report.words import fault_words


def charts(evidence: RunEvidence, judgement: Judgement, summary: Summary) -> tuple[Chart, ...]:
    """Every chart of the report, from top to bottom."""
    series = judgement.counters.series
    shades = [shade(start, end) for start, end in (fault.measured for fault in summary.faults)]
    if not shades and summary.disturbance.begin is not None and summary.disturbance.clear is not None:
        shades = [shade(summary.disturbance.begin, summary.disturbance.clear)]
    groups, providers = group_colours(evidence.scenario), provider_colours(evidence.scenario)
    made = (
        _wrong(evidence, summary),
        _good(series, groups),
        _outcomes(series),
        _latency(series),
        _capacity(series, service_time(judgement.counters), providers),
        _queue(series, providers),
        _amplification(series),
        _users(evidence, series, groups),
    )
    return tuple(framed(chart, shades, evidence.timeline.end, summary) for chart in made)


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
            "base": [ms(seen.measured[0])],
            "x": [ms(seen.measured[1] - seen.measured[0])],
            "marker": {"color": FAULT},
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
        "x": [ms(state.since) for state in said],
        "y": ["status page"] * len(said),
        "text": [plain(state.update.state) for state in said],
        "textposition": ["top right", "bottom right"] * len(said),  # neighbours do not overlap
        "hovertext": [plain(state.update.says or state.update.state) for state in said],
        "hoverinfo": "text",
        "marker": {"color": STATUS, "size": 9, "symbol": "diamond"},
        "showlegend": False,
    }


def _good(series: Series, colours: Mapping[str, str]) -> Chart:
    step = min(series.size, step_of(series) * max(1, len(series.issued)))
    lines = [
        curve(
            group,
            ratios_of(sums(series.good[group], step), sums(issued, step)),
            step * series.width,
            colour,
            connectgaps=False,
        )
        for group, colour in colours.items()
        if (issued := series.issued.get(group)) is not None
    ]
    caption = "Share of the prompts that got a good answer, by when they were asked. A gap: nobody could ask."
    layout: Json = {"yaxis": {"range": [0, 1.02], "tickformat": ".0%"}}
    return Chart("good", "Good answers", caption, {"data": lines, "layout": layout})


def _outcomes(series: Series) -> Chart:
    areas = [
        curve(
            name,
            [count / series.width for count in series.outcomes[name]],
            series.width,
            OUTCOME[name],
            **area("o", OUTCOME[name]),
        )
        for name in OUTCOMES
        if name in series.outcomes
    ]
    caption = "Requests per second by what became of them, by when they were sent."
    return Chart("outcomes", "Requests", caption, {"data": areas})


def _latency(series: Series) -> Chart:
    step = step_of(series)
    total, first = merged(series.latency, series.size, step), merged(series.first_token, series.size, step)
    width = step * series.width
    wanted = (("first token, p50", first, 0.5), ("answer, p50", total, 0.5), ("answer, p95", total, 0.95))
    found = [(name, [sketch.quantile(q) for sketch in sketches]) for name, sketches, q in wanted]
    top = (
        max((value for _, values in found for value in values if value is not None and value < math.inf), default=1.0)
        * 1.5
    )
    lines = [
        curve(name, [None if value == math.inf else value for value in values], width, colour, connectgaps=False)
        for (name, values), colour in zip(found, QUANTILES, strict=True)
    ]
    never = [
        _never(name, values, width, top, colour)
        for (name, values), colour in zip(found[1:], QUANTILES[1:], strict=True)
    ]
    caption = (
        "Seconds from when it should have been asked; on a logarithmic scale. A cross: that share was never answered."
    )
    layout: Json = {"yaxis": {"type": "log", "rangemode": "normal", "ticksuffix": " s"}}
    return Chart("latency", "Waiting", caption, {"data": [*lines, *filter(None, never)], "layout": layout})


def _never(name: str, values: Sequence[float | None], width: int, top: float, colour: str) -> Json | None:
    at = [ms(n * width) for n, value in enumerate(values) if value == math.inf]
    marker = {"symbol": "x", "size": 5, "color": colour}
    told = {"name": f"{name}: never", "marker": marker, "hovertemplate": "never"}
    return {"type": "scatter", "mode": "markers", "x": at, "y": [float(f"{top:.4g}")] * len(at), **told} if at else None


def _capacity(series: Series, cost: float | None, colours: Mapping[str, str]) -> Chart:
    lines = []
    for name, side in sorted(series.providers.items()):
        colour = colours[name]
        lines.append(curve(f"{name}: requests", [count / series.width for count in side.offered], series.width, colour))
        if cost is not None:
            could = [slots / series.width / cost for slots in side.capacity]
            lines.append(curve(f"{name}: could answer", could, series.width, colour))
            lines[-1]["line"] = {"color": colour, "width": 1.5, "dash": "dash", "shape": "hv"}
    caption = "Requests per second that reached each provider, against the answers per second that it can give."
    return Chart("capacity", "Offered against capacity", caption, {"data": lines})


def _queue(series: Series, colours: Mapping[str, str]) -> Chart:
    lines = []
    for name, side in sorted(series.providers.items()):
        lines.append(curve(f"{name}: waiting", side.queued, series.width, colours[name]))
        lines.append(curve(f"{name}: being answered", side.running, series.width, colours[name], opacity=0.45))
    return Chart("queue", "Queue", "Requests inside each provider, the most at one time.", {"data": lines})


def _amplification(series: Series) -> Chart:
    ratios, width = per_prompt(series)
    line = curve("requests per prompt", ratios, width, STATUS, connectgaps=False)
    caption = "Requests sent for each prompt asked in the same time; 1 when nothing is retried."
    return Chart("amplification", "Amplification", caption, {"data": [line]})


def _users(evidence: RunEvidence, series: Series, colours: Mapping[str, str]) -> Chart:
    looks = [evidence.timeline.at(at * series.width) for at in range(series.size)]
    lines = [
        curve(
            f"{group}{suffix}",
            [crowd[group] for crowd in crowds],
            series.width,
            colours[group],
            **area("u", colours[group]),
        )
        for suffix, crowds in (
            ("", [look.users for look in looks]),
            (", prompts per second", [look.arrivals for look in looks]),
        )
        for group in (crowds[0] if crowds else ())
    ]
    return Chart("users", "Crowd", "Users, or prompts per second, that the scenario sends.", {"data": lines})
