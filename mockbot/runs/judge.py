"""A run folder in, its verdict and reports out. Commands and the pytest plugin judge a folder through this module."""

import os
from pathlib import Path

from rich.console import Console

from mockbot.errors import ExitCode
from mockbot.evidence.compare import compare
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement, judge
from mockbot.report.comparison_report import comparison_html, exit_code, print_comparison
from mockbot.report.github import annotations, job_summary, report_to_github
from mockbot.report.junit import junit_xml
from mockbot.report.openmetrics import openmetrics_text
from mockbot.report.page import report_html
from mockbot.report.summarize import summarize
from mockbot.report.summary import Summary, summary_json
from mockbot.report.terminal import print_summary
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import read_run


def conclude(folder: RunFolder, console: Console) -> ExitCode:
    """Judge a run, write its reports, print the verdict. Raises UsageError when the folder holds no run."""
    evidence = read_run(folder)
    judgement = judge(evidence)
    summary = write_reports(folder, evidence, judgement)
    print_summary(console, summary)
    console.print(f"run folder: {folder.path}", highlight=False, soft_wrap=True)
    report_to_github(summary, os.environ, console)
    return ExitCode.of(judgement.verdict)


def write_reports(folder: RunFolder, evidence: RunEvidence, judgement: Judgement) -> Summary:
    """Put all reports into the folder, each atomically. Returns the results that they show."""
    summary = summarize(evidence, judgement)
    folder.put(RunFile.SUMMARY, summary_json(summary))
    folder.put(RunFile.JUNIT, junit_xml(summary))
    folder.put(RunFile.REPORT, report_html(evidence, judgement, summary))
    folder.put(RunFile.GITHUB_PAGE, job_summary(summary))
    folder.put(RunFile.GITHUB_ANNOTATIONS, annotations(summary))
    folder.put(RunFile.OPENMETRICS, openmetrics_text(summary))
    return summary


def compare_runs(first: RunFolder, second: RunFolder, page: Path | None, console: Console) -> ExitCode:
    """Judge both folders, print the differences, write the page to `page` (default: into the second folder).

    Raises UsageError when a folder holds no run, or when the two ran different scenarios.
    """
    runs = read_run(first), read_run(second)
    judgements = judge(runs[0]), judge(runs[1])
    comparison = compare(*runs, *judgements)
    names = (first.path.resolve().name, second.path.resolve().name)
    page = page or second.path / f"compared-with-{names[0]}.html"
    page.write_text(comparison_html(comparison, runs, judgements, names), "utf-8")
    print_comparison(console, comparison)
    console.print(f"the page: {page}", highlight=False, markup=False, soft_wrap=True)
    return exit_code(comparison)
