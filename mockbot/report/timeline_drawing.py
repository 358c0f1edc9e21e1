"""`mockbot show`: a scenario in, its timeline drawn in a terminal or as one page that works without a network.

The characters alone carry all information; colour only repeats it. The drawing fits the terminal's width.
"""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mockbot.report.label_lanes import in_lanes
from mockbot.report.page import render_plain
from mockbot.report.phrases import fault_text
from mockbot.report.plain_console import heading
from mockbot.report.timeline_rows import cell_of, phases, rows, status_updates
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_wall
from mockbot.units.quantities import duration_text

SHADES = " ░▒▓█"
BLOCKS = " ▁▂▃▄▅▆▇█"
STYLES = {"fault": "red", "crowd": "cyan"}
MOST_LABEL = 36  # characters; the labels of the bundled scenarios' faults fit
PAGE_CELLS = 240  # 4 pixels each on the widest page


def show(scenario: Scenario, console: Console) -> None:
    """Draw the timeline, with a legend of its signs."""
    timeline = Timeline(scenario)
    label = min(MOST_LABEL, console.width * 45 // 100)
    cells = max(8, console.width - label - 2)
    console.print(heading(scenario.title))
    console.print(Text(_about(scenario, timeline)))
    console.print()
    for line in _lines(timeline, label, cells):
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    console.print()
    legend = Table.grid(padding=(0, 2))
    legend.add_column()
    legend.add_column(justify="right")
    for phase in phases(timeline):
        parts = (phase.name, duration_text(phase.end - phase.start), phase.crowd)
        legend.add_row(phase.sign, format_clock(phase.start), Text(", ".join(filter(None, parts))))
    for update in status_updates(timeline):
        legend.add_row(update.sign, format_clock(update.t), Text(": ".join(filter(None, (update.state, update.says)))))
    console.print(legend)
    if scenario.teaches:
        console.print(Text(f"\n{scenario.teaches}"))


def show_page(scenario: Scenario) -> str:
    """The same as one HTML page."""
    timeline = Timeline(scenario)
    outlines = []
    for row in rows(timeline, PAGE_CELLS):  # as SVG points: 0 is the top, 100 the bottom
        tops = [f"{n + side},{100 - 100 * level:.4g}" for n, level in enumerate(row.levels) for side in (0, 1)]
        outlines.append((row, " ".join(["0,100", *tops, f"{PAGE_CELLS},100"])))
    return render_plain(
        "show.html.j2",
        scenario=scenario,
        about=_about(scenario, timeline),
        end=timeline.end,
        phases=phases(timeline),
        rows=outlines,
        updates=status_updates(timeline),
        phase_lanes=in_lanes([(each.start / timeline.end, each.name) for each in phases(timeline)]),
        update_lanes=in_lanes([(each.t / timeline.end, each.state) for each in status_updates(timeline)]),
        ticks=[(share, format_clock(share * timeline.end)) for share in (0, 0.25, 0.5, 0.75, 1)],
        faults=[(fault_text(span), span) for span in timeline.faults],
    )


def _about(scenario: Scenario, timeline: Timeline) -> str:
    incident = scenario.retells.incident if scenario.retells else None
    lasts = f"{duration_text(timeline.end)}, played in {format_wall(timeline.end / scenario.speed)}"
    return "; ".join(filter(None, (incident, scenario.cause, lasts)))


def _lines(timeline: Timeline, label: int, cells: int) -> Iterator[Text]:
    """The axis and the rows of the drawing: `label` characters of name, a space and `cells` characters of time."""
    middle, end = format_clock(timeline.end / 2), format_clock(timeline.end)
    axis = "0:00".ljust(cells)
    if cells >= 24:
        at = (cells - len(middle)) // 2
        axis = axis[:at] + middle + axis[at + len(middle) :]
    yield Text(" " * (label + 1) + axis[: cells - len(end)] + end, style="dim")
    spans = phases(timeline)
    middles = ((n + 0.5) * timeline.end / cells for n in range(cells))
    signs = (next(span.sign for span in spans if t < span.end) for t in middles)
    drawn = [("phases", "".join(signs), "bold")]
    for row in rows(timeline, cells):
        shades = SHADES if row.kind == "fault" else BLOCKS
        top = len(shades) - 1
        # The lowest shade but one for every level above 0, so that a small share is visible.
        signs = (shades[max(1, round(level * top))] if level > 0 else shades[0] for level in row.levels)
        drawn.append((row.label, "".join(signs), STYLES[row.kind]))
    if updates := status_updates(timeline):
        page = [" "] * cells
        for update in updates:
            at = cell_of(update.t, timeline, cells)
            page[at:] = [update.sign, *"·" * (cells - at - 1)]
        drawn.append(("status page", "".join(page), "yellow"))
    for name, line, style in drawn:
        short = name if len(name) <= label else f"{name[: label - 1]}…"
        yield Text.assemble(f"{short:<{label}} ", (line, style))
