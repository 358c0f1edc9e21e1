"""A judgement in, the end of a run on a terminal out: the table by phase and group, the expectations, the verdict.

Fits 80 columns. Everything is printed as `Text`: nothing from a scenario or a client is read as console markup.
"""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.evidence.added_latency import WARNING
from mockbot.evidence.judgement import Judgement, Verdict
from mockbot.evidence.system_result import SystemResult
from mockbot.measures.measure import Measure
from mockbot.measures.table import TABLE, shown
from mockbot.measures.text import NOT_SEEN, format_value
from mockbot.measures.values import Undefined
from mockbot.report.both_sides import joined_text, providers_text, users_text
from mockbot.report.executive_summary import executive_summary
from mockbot.units.formatting import format_clock, format_counted

FINDINGS = 6  # shown; the report has all of them with their evidence
STYLES: dict[Verdict, str] = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARKS: dict[Verdict, str] = {"pass": "ok", "fail": "FAILED", "inconclusive": "unknown"}


def print_summary(console: Console, summary: Judgement) -> None:
    """Print all of it."""
    console.print()
    console.print(Text(" ".join(executive_summary(summary))))
    console.print()
    if summary.sampled:
        console.print(Text(summary.sampled, style="yellow"))
    console.print(_phases(summary))
    if summary.testbed:
        console.print(Text(summary.testbed, style="yellow" if WARNING in summary.testbed else "dim"))
    console.print()
    if summary.system is not None:
        console.print(Text(f"through {summary.system.name}", style="bold"))
        console.print(_both_sides(summary.system))
        console.print(_item(joined_text(summary.system)))
        console.print()
    console.print(_expectations(summary))
    if summary.pending_count:
        names = (f"{each.id} ({each.group}, {format_clock(each.intended)})" for each in summary.pending[:3])
        text = f"pending at the end: {format_counted(summary.pending_count, 'prompt')}: {', '.join(names)}"
        console.print(Text(text, style="yellow"))
    if summary.findings:
        console.print(Text("\nwhat made it worse", style="bold"))
    for finding in summary.findings[:FINDINGS]:
        console.print(_item(f"{finding.group} {finding.did}"))
    if (more := len(summary.findings) - FINDINGS) > 0:
        console.print(_item(f"and {more} more, with evidence, in the report"))
    console.print(Text.assemble("\nverdict: ", (summary.verdict, STYLES[summary.verdict])))
    for reason in summary.reasons:
        console.print(_item(reason))
    if summary.disturbance.begin is not None:
        values = summary.measures[0].values
        named = sorted((each for each in TABLE.values() if each.sentence), key=lambda each: each.unit != "duration")
        known = (each for each in named if not isinstance(values[each.name], Undefined))
        console.print(Text(", ".join(_said(each, format_value(each.name, values[each.name])) for each in known)))


def _said(measure: Measure, text: str) -> str:
    """ "failed over after 3s", "failed over: never", or "recovered (too early to tell)"."""
    event = measure.sentence.removesuffix(" after")
    if text == NOT_SEEN:
        return f"{event} {text}"
    return f"{event}: never" if text == "never" else f"{measure.sentence} {text}"


def _phases(summary: Judgement) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase", overflow="ellipsis", max_width=16)
    table.add_column("group", overflow="ellipsis", max_width=14)
    for column in shown("narrow"):
        table.add_column(column.heading, justify="right", no_wrap=True)
    for row in summary.rows_by_phase():
        phase, group = row.scope.phase or "whole run", row.scope.group
        cells = (format_value(column.name, row.values[column.name]) for column in shown("narrow"))
        table.add_row(*map(Text, ("" if group else phase, group or "all", *cells)), style="" if group else "bold")
    return table


def _both_sides(system: SystemResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase", overflow="ellipsis", max_width=16)
    table.add_column("users saw", max_width=26)
    table.add_column("providers saw")
    for row in system.phases:
        table.add_row(*map(Text, (row.phase, users_text(row), providers_text(row))))
    return table


def _expectations(summary: Judgement) -> Table:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(justify="right")
    lines.add_column()
    for case in summary.expectations:
        text = f"{case.measure} {case.expected_text} ({case.scope}): {case.seen_text}"
        lines.add_row(Text(MARKS[case.result], STYLES[case.result]), Text(text))
        if case.result != "pass":
            lines.add_row("", Text(case.hint, style="dim"))
    return lines


def _item(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
