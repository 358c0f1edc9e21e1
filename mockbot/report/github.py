"""A judgement in, what GitHub shows of a job out: a page of Markdown for its summary, and annotations for its log.

Both are markup. Text from a scenario or a client is escaped: `|`, `<` and backquotes in Markdown, line breaks in
workflow commands, so that no text can begin another command (docs.github.com, "Workflow commands").
"""

import re
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from mockbot.errors import ExitCode
from mockbot.evidence.judgement import Judgement
from mockbot.measures.table import shown
from mockbot.measures.text import format_value
from mockbot.report.both_sides import both_sides_table
from mockbot.report.executive_summary import executive_summary
from mockbot.report.plain_console import plain

MEANS = {
    "pass": "the client did what is expected of it",
    "fail": "an expectation failed",
    "inconclusive": "the run could not judge the client, for the reasons below",
}
MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~])")


def report_to_github(summary: Judgement, environ: Mapping[str, str], console: Console) -> None:
    """Inside a job of GitHub Actions: append to its summary, and print the annotations; elsewhere nothing."""
    if where := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(where).open("a", encoding="utf-8") as page:
            page.write(f"{job_summary(summary)}\n")
    if environ.get("GITHUB_ACTIONS") == "true":
        console.file.write(annotations(summary))  # commands, which the console itself would defuse


def job_summary(summary: Judgement) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`."""
    lines = [f"## {MARKS[summary.verdict]} {_plain(summary.run.title)}: {summary.verdict}"]
    lines += ["", f"Exit code {ExitCode.of(summary.verdict):d}: {MEANS[summary.verdict]}."]
    lines += ["", _plain(" ".join(executive_summary(summary))), ""]
    lines += [f"- {_plain(reason)}" for reason in summary.reasons]
    if summary.expectations:
        lines += ["", "| | expected | of | seen | |", "|---|---|---|---|---|"]
    for case in summary.expectations:
        cells = (f"{case.measure} {case.expected_text}", str(case.scope), case.seen_text, case.hint)
        lines.append(f"| {MARKS[case.result]} | {' | '.join(map(_plain, cells))} |")
    columns = shown("narrow")
    headings = " | ".join(column.heading for column in columns)
    lines += ["", f"| phase | group | {headings} |", f"|---|---|{'---:|' * len(columns)}"]
    for row in summary.rows_by_phase():
        names = (_plain(row.scope.phase or "whole run"), _plain(row.scope.group or "all"))
        values = (format_value(column.name, row.values[column.name]) for column in columns)
        lines.append(f"| {' | '.join((*names, *values))} |")
    if summary.testbed:
        lines += ["", _plain(summary.testbed)]
    if summary.system is not None:
        sides = both_sides_table(summary.system)
        titles = (*(f"users: {each}" for each in sides.users), *(f"providers: {each}" for each in sides.providers))
        lines += ["", f"| phase | {' | '.join(map(_plain, titles))} |", f"|---|{'---|' * len(titles)}"]
        lines += [f"| {' | '.join(_plain(cell) for cell in cells)} |" for cells in sides.rows]
    if summary.findings:
        lines += ["", "**What the clients did that made it worse**", ""]
    for finding in summary.findings:
        first = f" ({_plain(finding.evidence[0])})" if finding.evidence else ""
        lines.append(f"- **{_plain(finding.group)}** {_plain(finding.did)}{first}. {_plain(finding.remedy)}.")
    return "".join(f"{line}\n" for line in lines)


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def annotations(summary: Judgement) -> str:
    """Workflow commands, one a line: an error for each failed expectation, a warning for what could not be decided."""
    lines = []
    for case in summary.expectations:
        if case.result != "pass":
            message = f"{case.outcome}; {case.hint}"
            level = "error" if case.result == "fail" else "warning"
            lines.append(_command(level, f"{case.measure} of {case.scope}", message))
    lines += [_command("warning", guard.name, guard.says) for guard in summary.checks if not guard.ok]
    return "".join(f"{line}\n" for line in lines)


def _command(level: str, title: str, message: str) -> str:
    one_line = (text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A") for text in (message, title))
    data, name = map(plain, one_line)
    return f"::{level} title={name.replace(':', '%3A').replace(',', '%2C')}::{data}"
