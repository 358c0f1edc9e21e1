"""A summary in, what GitHub shows of a job out: a page of Markdown for its summary, and annotations for its log.

Both are markup, and what comes from a scenario or a client is none: `|`, `<` and backquotes are escaped in Markdown,
and a line break cannot begin another workflow command (docs.github.com, "Workflow commands").
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from mockbot.report.executive_summary import executive_summary
from mockbot.report.summary import Expected, Measures, Summary
from mockbot.report.words import people_rows, scope_words, seen_words

COLUMNS = {
    "prompts": "prompts",
    "availability": "good",
    "attempts_per_prompt": "tries",
    "latency_p50": "p50",
    "latency_p95": "p95",
}
MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~])")


def tell_github(summary: Summary, environ: Mapping[str, str], console: Console) -> None:
    """Inside a job of GitHub Actions: append to its summary, and print the annotations; elsewhere nothing."""
    if where := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(where).open("a", encoding="utf-8") as page:
            page.write(f"{job_summary(summary)}\n")
    if environ.get("GITHUB_ACTIONS") == "true":
        console.print(annotations(summary), end="", markup=False, highlight=False, soft_wrap=True)


def job_summary(summary: Summary) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`."""
    return "\n".join([*_head(summary), *_expectations(summary), *_table(summary), *_findings(summary), ""])


def annotations(summary: Summary) -> str:
    """Workflow commands, one a line: an error for each failed expectation, a warning for what could not be decided."""
    lines = [_command("error" if case.result == "fail" else "warning", case) for case in summary.expectations]
    broken = [_annotate("warning", guard.name, guard.says) for guard in summary.guards if not guard.ok]
    return "".join(f"{line}\n" for line in (*filter(None, lines), *broken))


def _head(summary: Summary) -> Iterator[str]:
    yield f"## {MARKS[summary.verdict]} {_plain(summary.run.title)}: {summary.verdict}"
    yield ""
    yield _plain(" ".join(executive_summary(summary)))
    yield ""
    yield from (f"- {_plain(reason)}" for reason in summary.reasons)


def _expectations(summary: Summary) -> Iterator[str]:
    if not summary.expectations:
        return
    yield from ("", "| | expected | of | seen | |", "|---|---|---|---|---|")
    for case in summary.expectations:
        told = "" if case.result == "pass" else _plain(f"{case.why}; {case.where}" if case.why else case.where)
        cells = (f"{case.measure} {case.expected}", scope_words(case.scope), seen_words(case.measure, case.seen))
        yield f"| {MARKS[case.result]} | {' | '.join(map(_plain, cells))} | {told} |"


def _table(summary: Summary) -> Iterator[str]:
    yield from ("", f"| phase | group | {' | '.join(COLUMNS.values())} |", f"|---|---|{'---:|' * len(COLUMNS)}")
    yield from (_row(row) for row in people_rows(summary))


def _row(row: Measures) -> str:
    names = (row.scope.phase or "whole run", row.scope.group or "all")
    return f"| {' | '.join((*map(_plain, names), *(seen_words(name, row.values[name]) for name in COLUMNS)))} |"


def _findings(summary: Summary) -> Iterator[str]:
    if summary.findings:
        yield from ("", "**What the clients did that made it worse**", "")
    for finding in summary.findings:
        first = f" ({_plain(finding.evidence[0])})" if finding.evidence else ""
        yield f"- **{_plain(finding.group)}** {_plain(finding.did)}{first}. {_plain(finding.remedy)}."


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _command(level: str, case: Expected) -> str:
    if case.result == "pass":
        return ""
    says = f"expected {case.expected}, saw {seen_words(case.measure, case.seen)}"
    told = "; ".join(filter(None, (says, case.why, f"look at {case.where}")))
    return _annotate(level, f"{case.measure} of {scope_words(case.scope)}", told)


def _annotate(level: str, title: str, message: str) -> str:
    data = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = title.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{data}"
