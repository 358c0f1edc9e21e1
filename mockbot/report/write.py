"""A judged run in, the files of its folder out. Each is put in place whole."""

import os
from pathlib import Path

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement
from mockbot.report.chaostoolkit import chaostoolkit_json
from mockbot.report.github import annotations, job_summary
from mockbot.report.html import report_html
from mockbot.report.junit import junit_xml
from mockbot.report.openmetrics import openmetrics_text
from mockbot.report.summarize import summarize
from mockbot.report.summary import Summary, summary_json


def write_reports(folder: Path, evidence: RunEvidence, judgement: Judgement) -> Summary:
    """`report.html`, `summary.json`, `junit.xml`, and in `exports/` what other tools read. Returns what they tell."""
    summary = summarize(evidence, judgement)
    exports = folder / "exports"
    exports.mkdir(exist_ok=True)
    _put(folder / "summary.json", summary_json(summary))
    _put(folder / "junit.xml", junit_xml(summary))
    _put(folder / "report.html", report_html(evidence, judgement, summary))
    _put(exports / "github.md", job_summary(summary))
    _put(exports / "github-annotations.txt", annotations(summary))
    _put(exports / "openmetrics.txt", openmetrics_text(summary))
    _put(exports / "chaostoolkit.json", chaostoolkit_json(summary))
    return summary


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
