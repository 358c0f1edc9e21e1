"""A judgement in, JUnit XML out: a test case for each expectation, and one for whether the run shows anything.

What could not be decided and an inconclusive run are errors, never skipped: most CIs are green over what was skipped.
The time of the run, in wall seconds, is that of the case about it; properties tell how it was made, and name its page.
"""

import re
from xml.etree import ElementTree as ET

from mockbot.evidence.judgement import Judgement

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def junit_xml(summary: Judgement, page: str) -> str:
    """The text of the file; `page`: the run's, as reached from where the file is."""
    run = summary.run
    root = ET.Element("testsuites", name="mockbot")
    suite = ET.SubElement(root, "testsuite", name=run.scenario)
    properties = ET.SubElement(suite, "properties")
    told = {"verdict": summary.verdict, "report": page, "seed": run.seed, "speed": f"{run.speed:g}"}
    for name, value in (told | {"system": run.system, "command": run.command}).items():
        if value != "":
            ET.SubElement(properties, "property", name=name, value=_legal(str(value)))
    for expected in summary.expectations:
        case = _case(suite, f"{expected.measure} {expected.expected} ({expected.scope})")
        says = expected.outcome + (f": {expected.why}" if expected.why else "")
        if expected.result != "pass":
            tag = "failure" if expected.result == "fail" else "error"
            _problem(case, tag, says, f"{says}\nlook at {expected.where}")
    case = _case(suite, "the run is conclusive", 0.0 if run.simulated else run.end / run.speed)
    if broken := [guard.says for guard in summary.checks if not guard.ok]:
        _problem(case, "error", "; ".join(broken), "\n".join(broken))
    counted = {"tests": "testcase", "failures": "*/failure", "errors": "*/error", "skipped": "*/skipped"}
    for name, path in counted.items():
        for each in root:
            each.set(name, str(len(each.findall(path))))
        root.set(name, str(sum(int(each.get(name, 0)) for each in root)))
    for each in (suite, root):
        each.set("time", case.attrib["time"])
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str, seconds: float = 0.0) -> ET.Element:
    classname = suite.get("name", "")
    return ET.SubElement(suite, "testcase", name=_legal(name), time=f"{seconds:.3f}", classname=classname)


def _problem(case: ET.Element, tag: str, message: str, text: str) -> None:
    kind = "inconclusive" if tag == "error" else "expectation"
    ET.SubElement(case, tag, message=_legal(message), type=kind).text = _legal(text)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
