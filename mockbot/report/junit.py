"""A judgement in, JUnit XML out: one test case for each expectation and each guard, so that a CI shows them as its own.

What could not be decided and a broken guard are errors, never skipped: most CIs are green over what was skipped.
"""

import re
from xml.etree import ElementTree as ET

from mockbot.evidence.judgement import Judgement

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def junit_xml(summary: Judgement) -> str:
    """The text of `junit.xml`."""
    root = ET.Element("testsuites", name="mockbot")
    suite = ET.SubElement(root, "testsuite", name=f"{summary.run.scenario}.expectations", time="0")
    for expected in summary.expectations:
        case = _case(suite, f"{expected.measure} {expected.expected} ({expected.scope})")
        says = expected.outcome + (f": {expected.why}" if expected.why else "")
        if expected.result != "pass":
            tag = "failure" if expected.result == "fail" else "error"
            _problem(case, tag, says, f"{says}\nlook at {expected.where}")
    suite = ET.SubElement(root, "testsuite", name=f"{summary.run.scenario}.guards", time="0")
    for guard in summary.checks:
        case = _case(suite, guard.name)
        if not guard.ok:
            _problem(case, "error", guard.says, guard.says)
    counted = {"tests": "testcase", "failures": "*/failure", "errors": "*/error", "skipped": "*/skipped"}
    for name, path in counted.items():
        for each in root:
            each.set(name, str(len(each.findall(path))))
        root.set(name, str(sum(int(each.get(name, 0)) for each in root)))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", name=_legal(name), time="0", classname=suite.get("name", ""))


def _problem(case: ET.Element, tag: str, message: str, text: str) -> None:
    kind = "inconclusive" if tag == "error" else "expectation"
    ET.SubElement(case, tag, message=_legal(message), type=kind).text = _legal(text)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
