"""A summary in, the end of a run on a terminal out: table by phase and group, what is expected, the verdict. Fits 80
columns.
"""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.evidence.verdict import Verdict
from mockbot.report.summary import Measures, Summary
from mockbot.report.words import people_rows, scope_words, seen_words

COLUMNS = {  # measure -> heading
    "prompts": "prompts",
    "availability": "good",
    "user_uptime": "uptime",
    "attempts_per_prompt": "tries",
    "latency_p50": "p50",
    "latency_p95": "p95",
}
COURSE = {
    "time_to_detect": "noticed after",
    "first_success": "first success",
    "recovery_time": "recovered after",
    "affected_recovery": "affected prompts settled after",
    "amplification": "attempts per prompt issued",
    "wasted_work": "wasted work",
}
FINDINGS = 6  # shown
STYLES: dict[Verdict, str] = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARKS: dict[Verdict, str] = {"pass": "ok", "fail": "FAILED", "inconclusive": "unknown"}


def print_summary(console: Console, summary: Summary) -> None:
    """The whole of it; nothing here is read as console markup."""
    console.print()
    console.print(_table(summary))
    for line in _course(summary):
        console.print(line)
    console.print()
    for part in (*_expectations(summary), *_pending(summary), *_findings(summary), *_verdict(summary)):
        console.print(part)


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase", overflow="ellipsis", max_width=16)
    table.add_column("group", overflow="ellipsis", max_width=14)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in people_rows(summary):
        table.add_row(*_cells(row), style="" if row.scope.group else "bold")
    return table


def _cells(row: Measures) -> list[Text]:
    scope = row.scope
    names = [("" if scope.group else scope.phase or "whole run"), scope.group or "all"]
    return [Text(text) for text in (*names, *(seen_words(name, row.values[name]) for name in COLUMNS))]


def _course(summary: Summary) -> Iterable[Text]:
    if summary.disturbance.begin is None:
        return
    values = summary.measures[0].values
    told = [f"{words} {seen_words(name, values[name])}" for name, words in COURSE.items() if values[name] is not None]
    yield Text("")
    yield Text(", ".join(told))


def _expectations(summary: Summary) -> Iterable[RenderableType]:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(justify="right")
    lines.add_column()
    for case in summary.expectations:
        text = f"{case.measure} {case.expected} ({scope_words(case.scope)}): {seen_words(case.measure, case.seen)}"
        lines.add_row(Text(MARKS[case.result], STYLES[case.result]), Text(text))
        if case.result != "pass":
            lines.add_row("", Text(f"{case.why + '; ' if case.why else ''}look at {case.where}", style="dim"))
    yield lines


def _pending(summary: Summary) -> Iterable[Text]:
    if summary.pending_count:
        names = ", ".join(f"{prompt.id} ({prompt.group}, {prompt.intended:.0f}s)" for prompt in summary.pending[:3])
        yield Text(f"pending at the end: {summary.pending_count} prompts: {names}", style="yellow")


def _findings(summary: Summary) -> Iterable[RenderableType]:
    """Where the most is to be gained; the report has all of it with its evidence."""
    if not summary.findings:
        return
    yield Text("\nwhat made it worse", style="bold")
    yield from (_item(f"{finding.group} {finding.did}") for finding in summary.findings[:FINDINGS])
    if (more := len(summary.findings) - FINDINGS) > 0:
        yield _item(f"and {more} more, with evidence, in the report")


def _item(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)


def _verdict(summary: Summary) -> Iterable[RenderableType]:
    yield Text.assemble("\nverdict: ", (summary.verdict, STYLES[summary.verdict]))
    yield from map(_item, summary.reasons)
