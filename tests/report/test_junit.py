"""junit.xml: what a CI makes of a run."""

from typing import Any
from xml.etree import ElementTree as ET

from mockbot.evidence.verdict import judge
from mockbot.report.junit import junit_xml
from tests.evidence.build import FELT, evidence, scenario, sound_run

HOLDS = {"phase": "steady", "availability": ">= 99%"}
FAILS = {"phase": "blackout", "availability": ">= 99%"}
UNKNOWN = {"group": "hasty", "availability": ">= 99%"}


def tree(*expect: dict[str, str], **how: Any) -> ET.Element:
    run = evidence(sound_run(), how.pop("seconds", FELT), of=scenario(expect=list(expect)), **how)
    return ET.fromstring(junit_xml(judge(run), "report.html").encode())  # noqa: S314 - our own text


def test_there_is_a_case_for_each_expectation_and_one_for_the_run() -> None:
    """In one suite, whose properties say how the run was made; the time is that of the run on the wall."""
    root = tree(HOLDS, FAILS)

    (suite,) = root
    assert suite.get("name") == "paper"
    assert [case.get("name") for case in suite.findall("testcase")] == [
        "availability >= 99% (phase steady)",
        "availability >= 99% (phase blackout)",
        "the run is conclusive",
    ]
    assert {case.get("classname") for case in suite.findall("testcase")} == {"paper"}
    told = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert (told["verdict"], told["report"], told["speed"]) == ("fail", "report.html", "1")
    assert suite.get("time") == root.get("time") == suite.findall("testcase")[-1].get("time") == "400.000"


def test_a_failed_expectation_is_a_failure_and_an_undecided_one_an_error() -> None:
    """Nothing is skipped: most CIs are green over what was skipped."""
    holds, fails, unknown, run = tree(HOLDS, FAILS, UNKNOWN).iter("testcase")

    tags = [[child.tag for child in case] for case in (holds, fails, unknown, run)]
    assert tags == [[], ["failure"], ["error"], []]
    assert fails[0].get("message") == "expected >= 99%, saw 0%"
    assert "look at journal.jsonl: p100" in (fails[0].text or "")
    only = "expected >= 99%, saw -: only 0 prompts there, and 20 are needed; give it more users or time"
    assert unknown[0].get("message") == f"{only}, or leave this expectation out"


def test_an_inconclusive_run_is_an_error() -> None:
    """With all its reasons: here the fault that nobody felt."""
    (case,) = [case for case in tree(HOLDS, seconds=()).iter("testcase") if case.find("error") is not None]

    assert case.get("name") == "the run is conclusive"
    assert "blackout.0.http_error" in case[0].attrib["message"]


def test_it_keeps_the_rules_that_junit_parsers_rely_on() -> None:
    """The common schema (testmoapp/junitxml, Jenkins' xunit-plugin): required attributes, and counts that add up."""
    root = tree(HOLDS, FAILS, UNKNOWN, seconds=())

    assert root.tag == "testsuites"
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.tag == "testsuite"
        assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases)]
        assert int(suite.attrib["tests"]) == len(cases)
        for kind in ("failure", "error", "skipped"):
            count = sum(case.find(kind) is not None for case in cases)
            assert int(suite.attrib[{"failure": "failures", "error": "errors"}.get(kind, kind)]) == count
        assert all({"name", "classname", "time"} <= set(case.attrib) for case in cases)
        assert len({case.get("name") for case in cases}) == len(cases)
    for kind in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[kind]) == sum(int(suite.attrib[kind]) for suite in root)


def test_what_xml_cannot_hold_does_not_break_it() -> None:
    """A reason with control characters and markup from elsewhere."""
    why = 'worker died: \x00\x1b[31m<b>"&\ud800'

    (message,) = [error.get("message") for error in tree(HOLDS, ended="failed", why=why).iter("error")]

    assert message is not None
    died = 'worker died: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m<b>"&\N{REPLACEMENT CHARACTER}'
    assert message.endswith(f"{died}; see the logs in the run folder")
