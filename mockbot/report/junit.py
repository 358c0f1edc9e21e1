"""A summary in, JUnit XML out: one test case for each expectation and each guard, so that a CI shows them as its own.

What could not be decided and a broken guard are errors, never skipped: most CIs are green over what was skipped.
"""

import re
from xml.etree import ElementTree as ET

from mockbot.report.summary import Expected, Guard, Summary
from mockbot.report.words import scope_words, seen_words

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def junit_xml(summary: Summary) -> str:
    """The text of `junit.xml`."""
    root = ET.Element("testsuites", name="mockbot")
    _suite(root, f"{summary.run.scenario}.expectations", [_expectation(case) for case in summary.expectations])
    _suite(root, f"{summary.run.scenario}.guards", [_guard(case) for case in summary.guards])
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, cases: list[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=name, time="0")
    for case in cases:
        case.set("classname", name)
        suite.append(case)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(len(suite.findall("*/failure"))))
    suite.set("errors", str(len(suite.findall("*/error"))))
    suite.set("skipped", "0")


def _expectation(expected: Expected) -> ET.Element:
    case = ET.Element(
        "testcase", name=_legal(f"{expected.measure} {expected.expected} ({scope_words(expected.scope)})")
    )
    case.set("time", "0")
    says = f"expected {expected.expected}, saw {seen_words(expected.measure, expected.seen)}"
    says = f"{says}: {expected.why}" if expected.why else says
    if expected.result != "pass":
        _problem(case, "failure" if expected.result == "fail" else "error", says, f"{says}\nlook at {expected.where}")
    return case


def _guard(guard: Guard) -> ET.Element:
    case = ET.Element("testcase", name=_legal(guard.name), time="0")
    if not guard.ok:
        _problem(case, "error", guard.says, guard.says)
    return case


def _problem(case: ET.Element, tag: str, message: str, text: str) -> None:
    problem = ET.SubElement(
        case, tag, message=_legal(message), type="inconclusive" if tag == "error" else "expectation"
    )
    problem.text = _legal(text)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
