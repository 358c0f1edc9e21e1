"""A judged run in, the files of its folder out. Each is put in place whole."""

import os
from pathlib import Path

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement
from mockbot.report.html import report_html
from mockbot.report.junit import junit_xml
from mockbot.report.summarize import summarize
from mockbot.report.summary import summary_json


def write_reports(folder: Path, evidence: RunEvidence, judgement: Judgement) -> None:
    """`summary.json`, `junit.xml` and `report.html`."""
    summary = summarize(evidence, judgement)
    _put(folder / "summary.json", summary_json(summary))
    _put(folder / "junit.xml", junit_xml(summary))
    _put(folder / "report.html", report_html(evidence, judgement, summary))


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
