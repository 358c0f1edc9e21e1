"""`mockbot show`: a scenario in, its timeline drawn in a terminal or as one page that works without a network.

The drawing says everything by its characters; colour only repeats it. It fits the width that the terminal has.
"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mockbot.report.page import TEMPLATES, environment
from mockbot.report.timeline_rows import Row, StatusUpdate, cell_of, phases, rows, status_updates
from mockbot.report.words import fault_words
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_seconds
from mockbot.units.quantities import duration_text

SHADES = " ░▒▓█"
BLOCKS = " ▁▂▃▄▅▆▇█"
STYLES = {"fault": "red", "crowd": "cyan"}
MOST_LABEL = 36
PAGE_CELLS = 240


def show(scenario: Scenario, console: Console) -> None:
    """Draw it."""
    timeline = Timeline(scenario)
    label = min(MOST_LABEL, console.width * 45 // 100)
    cells = max(8, console.width - label - 2)
    console.print(f"[bold]{scenario.title}[/bold]", highlight=False)
    console.print(Text(_about(scenario, timeline)))
    console.print()
    console.print(_axis(timeline, label, cells), no_wrap=True, overflow="crop", crop=True)
    for line in _drawn(timeline, label, cells):
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    console.print()
    console.print(_legend(timeline))
    if scenario.teaches:
        console.print(Text(f"\n{scenario.teaches}"))


def show_page(scenario: Scenario) -> str:
    """The same as a page."""
    timeline = Timeline(scenario)
    drawn = rows(timeline, PAGE_CELLS)
    return (
        environment()
        .get_template("show.html.j2")
        .render(
            scenario=scenario,
            about=_about(scenario, timeline),
            end=timeline.end,
            phases=phases(timeline),
            rows=[(row, _points(row)) for row in drawn],
            words=status_updates(timeline),
            ticks=[(share, format_clock(share * timeline.end)) for share in (0, 0.25, 0.5, 0.75, 1)],
            faults=[(fault_words(span), span) for span in timeline.faults],
            clock=format_clock,
            length=duration_text,
            css=(TEMPLATES / "report.css").read_text("utf-8"),
        )
    )


def _about(scenario: Scenario, timeline: Timeline) -> str:
    retold = f"{scenario.retells.incident}; " if scenario.retells else ""
    cause = f"{scenario.cause}; " if scenario.cause else ""
    return f"{retold}{cause}{duration_text(timeline.end)}, played in {format_seconds(timeline.end / scenario.speed)}"


def _axis(timeline: Timeline, label: int, cells: int) -> Text:
    middle, end = format_clock(timeline.end / 2), format_clock(timeline.end)
    line = "0:00".ljust(cells)
    if cells >= 24:
        at = (cells - len(middle)) // 2
        line = line[:at] + middle + line[at + len(middle) :]
    return Text(" " * (label + 1) + line[: cells - len(end)] + end, style="dim")


def _drawn(timeline: Timeline, label: int, cells: int) -> list[Text]:
    found = [_line("phases", _signs(timeline, cells), "bold", label)]
    for row in rows(timeline, cells):
        shades = SHADES if row.kind == "fault" else BLOCKS
        found.append(_line(row.label, "".join(_shade(level, shades) for level in row.levels), STYLES[row.kind], label))
    if said := status_updates(timeline):
        found.append(_line("status page", _marks(said, timeline, cells), "yellow", label))
    return found


def _line(label: str, drawn: str, style: str, width: int) -> Text:
    short = label if len(label) <= width else f"{label[: width - 1]}…"
    return Text.assemble(f"{short:<{width}} ", (drawn, style))


def _shade(level: float, shades: str) -> str:
    """What there is at all shows, however little it is."""
    return shades[0] if level <= 0 else shades[max(1, round(level * (len(shades) - 1)))]


def _signs(timeline: Timeline, cells: int) -> str:
    spans = phases(timeline)
    middles = ((n + 0.5) * timeline.end / cells for n in range(cells))
    return "".join(next(span.sign for span in spans if t < span.end) for t in middles)


def _marks(said: tuple[StatusUpdate, ...], timeline: Timeline, cells: int) -> str:
    """A sign where a word begins, and a line while it stands."""
    drawn = [" "] * cells
    for word in said:
        at = cell_of(word.t, timeline, cells)
        drawn[at:] = [word.sign, *"·" * (cells - at - 1)]
    return "".join(drawn)


def _legend(timeline: Timeline) -> Table:
    """What the signs stand for."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_column()
    for stretch in phases(timeline):
        told = [stretch.name, duration_text(stretch.end - stretch.start), stretch.crowd]
        grid.add_row(stretch.sign, format_clock(stretch.start), Text(", ".join(filter(None, told))))
    for word in status_updates(timeline):
        grid.add_row(word.sign, format_clock(word.t), Text(": ".join(filter(None, (word.state, word.says)))))
    return grid


def _points(row: Row) -> str:
    """The outline of a row, as SVG wants it; 0 is above."""
    count = len(row.levels)
    tops = [f"{n + side},{100 - 100 * level:.4g}" for n, level in enumerate(row.levels) for side in (0, 1)]
    return " ".join(["0,100", *tops, f"{count},100"])
