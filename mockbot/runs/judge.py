"""A run folder in, its verdict and reports out. Commands and the pytest plugin judge a folder through this module."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot.errors import ExitCode, TestbedError
from mockbot.evidence.compare import compare
from mockbot.evidence.verdict import JudgedRun, judge_run
from mockbot.report.comparison_report import comparison_html, exit_code, print_comparison
from mockbot.report.github import annotations, job_summary, report_to_github
from mockbot.report.junit import junit_xml
from mockbot.report.metrics_over_time import metrics_csv, metrics_text, scraped
from mockbot.report.openmetrics import openmetrics_text
from mockbot.report.page import report_html
from mockbot.report.progress import progress
from mockbot.report.terminal import print_summary
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import read_run

STEPS = 3  # of a comparison: judge one run, judge the other, compare; each about as long


def conclude(folder: RunFolder, console: Console) -> ExitCode:
    """Judge a run, print the verdict, write its reports. Raises UsageError when the folder holds no run.

    A report that cannot be written is told and changes no exit code: the verdict stands.
    """
    run = judge_run(read_run(folder))
    print_summary(console, run.judgement)
    with _told(console, "reports"):
        write_reports(folder, run)
    console.print(f"the page: {folder.path / RunFile.REPORT}", highlight=False, markup=False, soft_wrap=True)
    with _told(console, "summary of the job"):
        report_to_github(run.judgement, os.environ, console)
    return ExitCode.of(run.judgement.verdict)


@contextmanager
def _told(console: Console, what: str) -> Iterator[None]:
    """What could not be written is a sentence below the verdict."""
    try:
        yield
    except TestbedError as error:
        console.print(Text(f"the {what} could not be written: {error}", "yellow"), soft_wrap=True)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        console.print(Text(f"the {what} could not be written: {why}", "yellow"), soft_wrap=True)


def write_reports(folder: RunFolder, run: JudgedRun) -> None:
    """Put all reports into the folder, each atomically."""
    judgement = run.judgement
    folder.put(RunFile.SUMMARY, judgement.json_text())
    folder.put(RunFile.JUNIT, junit_xml(judgement, RunFile.REPORT))
    folder.put(RunFile.REPORT, report_html(run))
    folder.put(RunFile.GITHUB_PAGE, job_summary(judgement))
    folder.put(RunFile.GITHUB_ANNOTATIONS, annotations(judgement))
    folder.put(RunFile.OPENMETRICS, openmetrics_text(judgement))
    over_time = scraped(run.evidence)
    folder.put(RunFile.METRICS, metrics_text(over_time))
    folder.put(RunFile.METRICS_CSV, metrics_csv(over_time))


def compare_runs(first: RunFolder, second: RunFolder, page: Path | None, console: Console) -> ExitCode:
    """Judge both folders, print the differences, write the page to `page` (default: into the second folder).

    Raises UsageError when a folder holds no run, or when the two have no phase in common.
    """
    with progress(console, "comparing") as report:
        one = judge_run(read_run(first))
        report(1, STEPS, "the first run")
        runs = one, judge_run(read_run(second))
        report(2, STEPS, "both runs")
        comparison = compare(*runs)
    names = (first.path.resolve().name, second.path.resolve().name)
    page = page or second.path / f"compared-with-{names[0]}.html"
    print_comparison(console, comparison)
    with _told(console, "page"):
        page.write_text(comparison_html(comparison, runs, names), "utf-8")
        console.print(f"the page: {page}", highlight=False, markup=False, soft_wrap=True)
    return exit_code(comparison)
