"""A judged run in, the files of its folder out. Each is put in place whole."""

import os
from pathlib import Path

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement
from mockbot.report.junit import junit_xml
from mockbot.report.summary import summarize, summary_json


def write_reports(folder: Path, evidence: RunEvidence, judgement: Judgement) -> None:
    """`summary.json` and `junit.xml`."""
    summary = summarize(evidence, judgement)
    _put(folder / "summary.json", summary_json(summary))
    _put(folder / "junit.xml", junit_xml(summary))


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
