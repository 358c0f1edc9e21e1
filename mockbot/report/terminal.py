"""A summary in, the end of a run on a terminal out: the table by phase and group, the expectations, the verdict.

Fits 80 columns. Everything is printed as `Text`: nothing from a scenario or a client is read as console markup.
"""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.evidence.verdict import Verdict
from mockbot.report.phrases import HEADINGS, value_text
from mockbot.report.summary import Summary
from mockbot.units.formatting import format_seconds

COLUMNS = ("prompts", "availability", "user_uptime", "attempts_per_prompt", "latency_p50", "latency_p95")
COURSE = {
    "time_to_detect": "detected after",
    "first_success": "first success",
    "recovery_time": "recovered after",
    "affected_recovery": "affected prompts settled after",
    "amplification": "attempts per prompt issued",
    "wasted_work": "wasted work",
}
FINDINGS = 6  # shown; the report has all of them with their evidence
STYLES: dict[Verdict, str] = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARKS: dict[Verdict, str] = {"pass": "ok", "fail": "FAILED", "inconclusive": "unknown"}


def print_summary(console: Console, summary: Summary) -> None:
    """Print all of it."""
    console.print()
    console.print(_phases(summary))
    if summary.disturbance.begin is not None:
        values = summary.measures[0].values
        known = (f"{COURSE[name]} {value_text(name, values[name])}" for name in COURSE if values[name] is not None)
        console.print(Text(f"\n{', '.join(known)}"))
    console.print()
    console.print(_expectations(summary))
    if summary.pending_count:
        names = (f"{each.id} ({each.group}, {format_seconds(each.intended)})" for each in summary.pending[:3])
        text = f"pending at the end: {summary.pending_count} prompts: {', '.join(names)}"
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


def _phases(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase", overflow="ellipsis", max_width=16)
    table.add_column("group", overflow="ellipsis", max_width=14)
    for name in COLUMNS:
        table.add_column(HEADINGS[name], justify="right", no_wrap=True)
    for row in summary.rows_by_phase():
        phase, group = row.scope.phase or "whole run", row.scope.group
        cells = ("" if group else phase, group or "all", *(value_text(name, row.values[name]) for name in COLUMNS))
        table.add_row(*map(Text, cells), style="" if group else "bold")
    return table


def _expectations(summary: Summary) -> Table:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(justify="right")
    lines.add_column()
    for case in summary.expectations:
        text = f"{case.measure} {case.expected} ({case.scope}): {value_text(case.measure, case.seen)}"
        lines.add_row(Text(MARKS[case.result], STYLES[case.result]), Text(text))
        if case.result != "pass":
            lines.add_row("", Text("; ".join(filter(None, (case.why, f"look at {case.where}"))), style="dim"))
    return lines


def _item(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
