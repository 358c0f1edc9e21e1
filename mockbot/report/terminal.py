"""A summary in, the end of a run on a terminal out: table by phase and group, what is expected, the verdict. Fits 80
columns.
"""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement, Verdict
from mockbot.report.summary import Measures, Summary, summarize
from mockbot.report.words import scope_words, seen_words

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
    "affected_recovery": "its victims were through after",
    "amplification": "attempts per prompt issued",
    "wasted_work": "wasted work",
}
STYLES: dict[Verdict, str] = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARKS: dict[Verdict, str] = {"pass": "ok", "fail": "FAILED", "inconclusive": "unknown"}


def print_judgement(console: Console, evidence: RunEvidence, judgement: Judgement) -> None:
    """The whole of it; nothing here is read as console markup."""
    summary = summarize(evidence, judgement)
    console.print()
    console.print(_table(summary))
    for line in _course(summary):
        console.print(line)
    console.print()
    for line in (*_expectations(summary), *_pending(summary), *_verdict(summary)):
        console.print(line, soft_wrap=False)


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase", overflow="ellipsis", max_width=16)
    table.add_column("group", overflow="ellipsis", max_width=14)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in _rows(summary):
        table.add_row(*_cells(row), style="" if row.scope.group else "bold")
    return table


def _rows(summary: Summary) -> Iterable[Measures]:
    """Each phase with its groups, then the whole run with its groups."""
    people = [row for row in summary.measures if row.scope.tier is None and row.scope.provider is None]
    for phase in (*(phase.name for phase in summary.phases), None):
        mine = [row for row in people if row.scope.phase == phase]
        yield from (row for row in mine if row.scope.group is None)
        groups = [row for row in mine if row.scope.group is not None]
        yield from groups if len(groups) > 1 else ()


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


def _expectations(summary: Summary) -> Iterable[Text]:
    for case in summary.expectations:
        seen = seen_words(case.measure, case.seen)
        text = f"{case.measure} {case.expected} ({scope_words(case.scope)}): {seen}"
        yield Text.assemble((f"{MARKS[case.result]:>8}", STYLES[case.result]), f"  {text}")
        if case.result != "pass":
            yield Text(f"          {case.why + '; ' if case.why else ''}look at {case.where}", style="dim")


def _pending(summary: Summary) -> Iterable[Text]:
    if summary.pending_count:
        names = ", ".join(f"{prompt.id} ({prompt.group}, {prompt.intended:.0f}s)" for prompt in summary.pending[:3])
        yield Text(f"pending at the end: {summary.pending_count} prompts: {names}", style="yellow")


def _verdict(summary: Summary) -> Iterable[Text]:
    yield Text("")
    yield Text.assemble("verdict: ", (summary.verdict, STYLES[summary.verdict]))
    yield from (Text(f"  {reason}") for reason in summary.reasons)
