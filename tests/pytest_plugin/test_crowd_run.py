"""What a test reads of a judged crowd, and what is said before one is sent."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import requests
from fastapi import FastAPI

from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.pytest_plugin.crowd_run import CrowdRun, described
from mockbot.pytest_plugin.fixture import Mockbot
from tests.evidence.build import evidence
from tests.evidence.system_build import Journal, piece
from tests.evidence.system_build import ask as request
from tests.pytest_plugin.conftest import Ask
from tests.pytest_plugin.test_outage import SHORT

pytestmark = pytest.mark.second

ASK = {"request": {"path": "/ask", "json": {"text": "{prompt}"}}, "answer": {"json": "$.answer"}}


class NothingShown(Exception):  # noqa: N818 - what `inconclusive` raises here
    """The test would be inconclusive."""


def inconclusive(reason: str) -> NoReturn:
    raise NothingShown(reason)


def run_of(judgement: Judgement) -> CrowdRun:
    return CrowdRun(judgement, Path("kept"), inconclusive)


@pytest.fixture
def laundered() -> CrowdRun:
    """An answer that was cut short and said to be whole, and nothing else."""
    journal = Journal()
    name = journal.asked(1.0, request())
    journal.answers[-1] = replace(journal.answers[-1], pieces=(piece(name, words=3),), words=3)
    made = evidence([*journal.attempts, *journal.prompts])
    info = replace(made.info, system="my-gateway")
    return run_of(judge(replace(made, info=info, answers=tuple(journal.answers), upstream=tuple(journal.requests))))


def test_findings_and_measures_are_there_by_name(laundered: CrowdRun) -> None:
    """Only what was found is in `findings`; a measure is a plain number."""
    assert [*laundered.findings] == ["launders_truncation"]
    assert laundered.findings["launders_truncation"].times == 1
    assert laundered.measure("laundered") == 1.0


def test_a_measure_that_is_not_known_makes_the_test_inconclusive(laundered: CrowdRun) -> None:
    """It is no number, and no comparison with it should pass or fail."""
    with pytest.raises(NothingShown, match=r"^upstream_per_prompt of phase after: - "):
        laundered.measure("upstream_per_prompt", phase="after")


def test_a_measure_or_a_part_that_there_is_not_is_named(laundered: CrowdRun) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match="'launderd' is not a measure; did you mean 'laundered'"):
        laundered.measure("launderd")
    with pytest.raises(UsageError, match=r"no measures of phase blackot; there are whole run; phase steady"):
        laundered.measure("laundered", phase="blackot")


def test_a_failed_assert_shows_the_sentences(laundered: CrowdRun) -> None:
    """`assert run.verdict == "pass"` shows the run itself; `assert_resilient` says them one a line."""
    failed = run_of(laundered.judgement.model_copy(update={"verdict": "fail", "reasons": ("one", "two")}))

    assert repr(failed) == "<fail: one; two>"
    with pytest.raises(AssertionError, match=r"my-gateway is not resilient in paper:\n  - one\n  - two$"):
        failed.assert_resilient()


def test_an_inconclusive_run_is_no_pass(laundered: CrowdRun) -> None:
    """`assert_resilient` says why; a run whose checks do not hold shows nothing, whether a test asks or not."""
    with pytest.raises(NothingShown, match="gave too little evidence in paper"):
        laundered.assert_resilient()
    assert "paper: " in (laundered.invalid() or "")


def test_a_system_is_named_as_on_the_command_line_with_the_keys_of_its_file() -> None:
    """`ask` replaces how a short form would be asked."""
    assert described("http://127.0.0.1:4000", {}).speaks == "openai"
    asked = described("serve --port {port}", {"ask": ASK, "env": {"A": "b"}, "ready": {"within": "5s"}})
    assert (asked.speaks, asked.start, asked.env, asked.ready.within) == (None, "serve --port {port}", {"A": "b"}, 5.0)
    assert described("nginx", {"name": "mine"}).files.keys() == {"nginx.conf"}


def test_a_mistake_in_a_system_is_told_where_it_is_named() -> None:
    """Before anything is started."""
    with pytest.raises(UsageError, match=r"mockbot.system\('http://here'\): speeks: .*not"):
        described("http://here", {"speeks": "openai"})


def test_a_crowd_needs_a_system_and_the_testbed_for_itself(mockbot: Mockbot, ask: Ask) -> None:
    """Each is said in words."""
    with pytest.raises(UsageError, match="which system"):
        mockbot.crowd(scenario=SHORT)
    mockbot.system(FastAPI())
    with mockbot.fault(http_error=503):
        ask()
        with pytest.raises(UsageError, match="remove the faults"):
            mockbot.crowd(scenario=SHORT)


def test_another_provider_keeps_its_address(mockbot: Mockbot, ask: Ask) -> None:
    """It answers before the outage, and in it as that provider; a scenario without it is refused."""
    url = mockbot.provider_url("other")
    question = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}

    def status() -> int:
        return requests.post(f"{url}/v1/chat/completions", json=question, timeout=10).status_code

    before = status()
    with mockbot.outage(SHORT, speed=1) as outage:
        outage.wait_for("blackout")
        in_it = (ask().status_code, status())

    assert (before, in_it, status()) == (200, (503, 200), 200)
    alone = SHORT.model_copy(update={"providers": {"main": SHORT.providers["main"]}})
    with pytest.raises(UsageError, match="the test asks for provider 'other', and short has main"):
        mockbot.outage(alone).__enter__()
    mockbot._outages.pop()  # which was never played


@pytest.mark.second
def test_a_system_that_does_not_start_is_an_error_in_words(mockbot: Mockbot) -> None:
    """The test ends with the sentence of `mockbot run`."""
    mockbot.system("false --port {port}")

    with pytest.raises(TestbedError, match="system false ended with exit code 1 before it was ready"):
        mockbot.crowd(scenario=SHORT)
