"""A run's counters over time in, the charts of its report out, from top to bottom."""

import math
from collections.abc import Iterator, Mapping, Sequence
from textwrap import shorten

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.records import OUTCOMES
from mockbot.evidence.series import Series
from mockbot.evidence.system_result import SystemResult
from mockbot.evidence.verdict import JudgedRun
from mockbot.report import figures
from mockbot.report.colours import ANSWERED, FAULT, OUTCOME, QUANTILES, STATUS, group_colours, provider_colours
from mockbot.report.figures import Chart, Json
from mockbot.report.phrases import fault_text
from mockbot.units.formatting import format_count, format_duration

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 36000)  # of the axis of latency
LABEL = 54  # characters of a fault above its bar, which fit a phone; the table of faults has all of them
BAR_LABEL: Json = {"x": 0, "xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 0, "showarrow": False,
                   "font": {"size": 11}}  # fmt: skip


def charts(run: JudgedRun) -> tuple[Chart, ...]:
    """Every chart of the report, from top to bottom."""
    evidence, counters, summary = run
    series = counters.series
    shades = [figures.shade(*fault.measured) for fault in summary.faults]
    if not shades and summary.disturbance.begin is not None and summary.disturbance.clear is not None:
        shades = [figures.shade(summary.disturbance.begin, summary.disturbance.clear)]
    groups, providers = group_colours(evidence.scenario), provider_colours(evidence.scenario)
    ratios, width = figures.per_prompt(series)
    amplification = figures.curve("requests per prompt", ratios, width, STATUS, connectgaps=False)
    caption = "Requests sent for each prompt asked in the same time; 1 when nothing is retried."
    drawn = (
        _faults(evidence, summary),
        *_complaints(series, groups),
        *(() if summary.system is None else _both_sides(summary.system, providers)),
        _good(series, groups),
        _outcomes(series),
        _latency(series),
        *_providers(series, counters.service_time(), providers),
        Chart("amplification", "Amplification", caption, {"data": [amplification]}),
        _users(evidence, series, groups),
    )
    return tuple(figures.framed(chart, shades, evidence.timeline.end, summary) for chart in drawn)


def _faults(evidence: RunEvidence, summary: Judgement) -> Chart:
    """A bar for each fault, and the updates of the status page below them."""
    data: list[Json] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [figures.plain(span.id)],
            "base": [figures.date(fault.measured[0])],
            # To the end of the axis: Plotly hides the text of a bar that goes beyond it.
            "x": [figures.ms(min(fault.measured[1], evidence.timeline.end) - fault.measured[0])],
            "marker": {"color": FAULT},
            "width": 0.36,
            "offset": 0.02,  # below the middle of the row: its label is above
            "hovertemplate": f"{figures.plain(span.id)}<br>hit {format_count(fault.felt)} requests<extra></extra>",
            "showlegend": False,
        }
        for span, fault in zip(evidence.timeline.faults, summary.faults, strict=True)
    ]
    if evidence.scenario.status_page:
        data.append(_status_page(evidence))
    labels = [
        BAR_LABEL
        | {"y": figures.plain(span.id), "text": figures.plain(shorten(fault_text(span), LABEL, placeholder="…"))}
        for span in evidence.timeline.faults
    ]
    layout: Json = {
        "height": 64 + 38 * max(1, len(data)),
        "hovermode": "closest",
        "barmode": "overlay",
        "annotations": labels,
        "yaxis": {"showticklabels": False, "showgrid": False, "autorange": "reversed", "rangemode": "normal"},
    }
    caption = "Each fault from its measured begin to its measured end, and the updates of the status page."
    return Chart("wrong", "Faults", caption, {"data": data, "layout": layout})


def _both_sides(system: SystemResult, colours: Mapping[str, str]) -> tuple[Chart, Chart]:
    """Who answered the users of the system, above what each provider sent."""
    names = [name for name in (*colours, *ANSWERED) if name in system.answers]
    answered = [
        _rate(name, system.answers[name], system.bin, colours.get(name) or ANSWERED[name], "a") for name in names
    ]
    sent = []
    for name, counts in system.sent.items():
        provider, _, how = name.rpartition(" ")
        sent.append(_rate(name, counts, system.bin, colours[provider] if how == "ok" else FAULT, "s"))
    who = "Answers per second by who wrote them; short: cut and passed on, canned: no provider's, nobody: an error."
    what = "Requests per second that each provider answered well, or failed."
    return (
        Chart("users-saw", "Users saw", who, {"data": answered}),
        Chart("providers-saw", "Providers saw", what, {"data": sent}),
    )


def _rate(name: str, counts: Sequence[int], width: float, colour: str, stack: str) -> Json:
    return figures.curve(name, [count / width for count in counts], width, colour, **figures.area(stack, colour))


def _status_page(evidence: RunEvidence) -> Json:
    """A marker at each update."""
    states = [state for t in evidence.timeline.changes() if (state := evidence.timeline.at(t).status) is not None]
    updates = list(dict.fromkeys(states))
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [figures.date(state.since) for state in updates],
        "y": ["status page"] * len(updates),
        "text": [figures.plain(state.update.state) for state in updates],
        "textposition": ["top right", "bottom right"] * len(updates),  # so that two close ones do not overlap
        "hovertext": [figures.plain(state.update.says or state.update.state) for state in updates],
        "hoverinfo": "text",
        "marker": {"color": STATUS, "size": 9, "symbol": "diamond"},
        "showlegend": False,
    }


def _complaints(series: Series, colours: Mapping[str, str]) -> Iterator[Chart]:
    """Complaints a minute; none when nobody complains."""
    if series.complaints:
        rates = [
            figures.curve(name, [60 * count / series.width for count in series.complaints[name]], series.width, colour)
            for name, colour in colours.items()
            if name in series.complaints
        ]
        caption = "Complaints a minute in public about prompts that were not answered, by when they were made."
        yield Chart("complaints", "Complaints", caption, {"data": rates})


def _good(series: Series, colours: Mapping[str, str]) -> Chart:
    step = min(series.size, figures.step_of(series) * max(1, len(series.issued)))
    lines = []
    for group, colour in colours.items():
        if (issued := series.issued.get(group)) is not None:
            shares = figures.ratios_of(figures.sums(series.good[group], step), figures.sums(issued, step))
            lines.append(figures.curve(group, shares, step * series.width, colour, connectgaps=False))
    each = format_duration(step * series.width)
    caption = f"Share of the prompts asked in each {each} that got a good answer; a step may reach over the begin of a "
    caption += "fault, or its end. A gap: no prompt was issued."
    layout: Json = {"yaxis": {"range": [0, 1.02], "tickformat": ".0%"}}
    return Chart("good", "Good answers", caption, {"data": lines, "layout": layout})


def _outcomes(series: Series) -> Chart:
    areas = []
    for name in OUTCOMES:
        if name in series.outcomes:
            rates = [count / series.width for count in series.outcomes[name]]
            areas.append(figures.curve(name, rates, series.width, OUTCOME[name], **figures.area("o", OUTCOME[name])))
    caption = "Requests per second by outcome, by when they were sent."
    return Chart("outcomes", "Requests", caption, {"data": areas})


def _latency(series: Series) -> Chart:
    step = figures.step_of(series)
    width = step * series.width
    total = figures.merged(series.latency, series.size, step)
    first = figures.merged(series.first_token, series.size, step)
    wanted = (("first token, p50", first, 0.5), ("answer, p50", total, 0.5), ("answer, p95", total, 0.95))
    found = {name: [sketch.quantile(q) for sketch in sketches] for name, sketches, q in wanted}
    finite = (value for values in found.values() for value in values if value is not None and value < math.inf)
    top = float(f"{1.5 * max(finite, default=1.0):.4g}")  # crosses lie above every line
    lines, crosses = [], []
    for (name, values), colour in zip(found.items(), QUANTILES, strict=True):
        shown = [None if value == math.inf else value for value in values]
        lines.append(figures.curve(name, shown, width, colour, connectgaps=False))
        never = [figures.date(n * width) for n, value in enumerate(values) if value == math.inf]
        cross: Json = {"type": "scatter", "mode": "markers", "name": f"{name}: never", "hovertemplate": "never"}
        cross |= {"x": never, "y": [top] * len(never), "marker": {"symbol": "x", "size": 5, "color": colour}}
        if never and not name.startswith("first token"):
            crosses.append(cross)
    caption = "Seconds from the intended start of a prompt, on a logarithmic scale. A cross: never answered."
    marks = {"tickvals": SECONDS, "ticktext": [format_duration(seconds) for seconds in SECONDS]}
    layout: Json = {"yaxis": {"type": "log", "rangemode": "normal", **marks}}
    return Chart("latency", "Latency", caption, {"data": [*lines, *crosses], "layout": layout})


def _providers(series: Series, cost: float | None, colours: Mapping[str, str]) -> tuple[Chart, Chart]:
    """Load against capacity, and the requests inside. `cost`: slot-seconds of an answer; None without any answer."""
    width = series.width
    capacity, queue = [], []
    for name, side in sorted(series.providers.items()):
        colour = colours[name]
        capacity.append(figures.curve(f"{name}: requests", [count / width for count in side.offered], width, colour))
        if cost is not None:
            line = {"color": colour, "width": 1.5, "dash": "dash", "shape": "hv"}
            possible = [slots / width / cost for slots in side.capacity]
            capacity.append(figures.curve(f"{name}: capacity", possible, width, colour, line=line))
        queue.append(figures.curve(f"{name}: waiting", side.queued, width, colour))
        queue.append(figures.curve(f"{name}: being answered", side.running, width, colour, opacity=0.45))
    caption = "Requests per second that reached each provider, and the answers per second that it can give."
    return (
        Chart("capacity", "Load and capacity", caption, {"data": capacity}),
        Chart("queue", "Queue", "Requests inside each provider, the most at one time.", {"data": queue}),
    )


def _users(evidence: RunEvidence, series: Series, colours: Mapping[str, str]) -> Chart:
    planned = [evidence.timeline.at(at * series.width) for at in range(series.size)]
    crowds = (("", [each.users for each in planned]), (", prompts per second", [each.arrivals for each in planned]))
    lines = []
    for suffix, counts in crowds:
        for group in counts[0] if counts else ():
            colour = colours[group]
            values = [count[group] for count in counts]
            lines.append(figures.curve(f"{group}{suffix}", values, series.width, colour, **figures.area("u", colour)))
    return Chart("users", "Users", "Users, or prompts per second, that the scenario sends.", {"data": lines})
