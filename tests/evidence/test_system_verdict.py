"""The verdict of a run with a system: its findings fail it, and what cannot be told leaves it open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.measures.values import Known, Undefined
from mockbot.report.both_sides import joined_text, providers_text, users_text
from mockbot.report.github import job_summary
from tests.evidence.build import AFTER, CALM, OUTAGE, evidence, scenario
from tests.evidence.system_build import Journal, ask, piece

DEAD = ask(outcome="http_error", status=503, took=0.1)


def _journal(laundered: int = 0, seconds: int = 400) -> Journal:
    """A prompt a second; other answers in the outage; some answers after it are laundered."""
    journal = Journal()
    for second in range(seconds):
        upstream = (DEAD, ask("other")) if 100 <= second < 200 and second % 10 == 0 else (ask("other"),)
        name = journal.asked(float(second), *(upstream if 100 <= second < 200 else (ask(),)))
        if second >= seconds - laundered:
            journal.answers[-1] = replace(journal.answers[-1], pieces=(piece(name, words=3),), words=3)
    return journal


def _judged(
    journal: Journal, faults: object = None, allowed: tuple[str, ...] = (), expect: Sequence[Mapping[str, str]] = ()
) -> Judgement:
    """`faults`: of the blackout, for 503 all the time."""
    prompts = [replace(each, group="patient") for each in journal.prompts]
    attempts = [replace(each, group="patient", provider="main") for each in journal.attempts]
    two = scenario(
        providers={"main": {"slots": 10}, "other": {}},
        crowd={"patient": {"users": "100%", "policy": "backoff", "patience": "60s"}},
        phases=[CALM, {**OUTAGE, **({} if faults is None else {"faults": faults})}, AFTER],
        expect=[*expect],
    )
    made = evidence([*attempts, *prompts], of=two)
    known = replace(made.info, system="my-gateway", allowed=allowed)
    return judge(replace(made, info=known, answers=tuple(journal.answers), upstream=tuple(journal.requests)))


def _results(judgement: Judgement) -> dict[str, str]:
    return {each.measure: each.result for each in judgement.expectations}


def test_a_system_in_which_nothing_was_found_passes_what_it_can() -> None:
    """Each finding is an expectation of its own, so that a CI shows it."""
    results = _results(_judged(_journal()))

    assert results["launders_truncation"] == results["never_fails_back"] == "pass"


def test_one_laundered_answer_fails_the_run_unless_it_is_allowed() -> None:
    """Although every user saw a success."""
    judged, allowed = _judged(_journal(laundered=1)), _judged(_journal(laundered=1), allowed=("launders_truncation",))

    assert _results(judged)["launders_truncation"] == "fail"
    assert any("3 of 20 words of main, said to be all" in str(each) for each in judged.expectations)
    assert "launders_truncation" not in _results(allowed)


def test_without_the_join_nothing_is_claimed() -> None:
    """A system that drops the prompt's text and all headers."""
    journal = _journal(laundered=1)
    journal.requests = [replace(each, prompt=None, trace=None, mark=None) for each in journal.requests]

    judged = _judged(journal)

    assert _results(judged)["launders_truncation"] == _results(judged)["retry_multiplication"] == "inconclusive"
    assert isinstance(judged.measures[0].values["upstream_per_prompt"], Undefined)
    assert judged.system is not None
    assert joined_text(judged.system).startswith("0 % of the providers' requests")


def test_measures_are_there_for_each_scope() -> None:
    """Whole run and phase; the times of the outage are of the whole run."""
    whole, calm, outage, *_ = _judged(_journal()).measures

    assert calm.values["upstream_per_prompt"] == Known(1.0)
    assert outage.values["upstream_per_prompt"] == Known(1.1)
    assert whole.values["saved"] == Known(1.0)
    assert isinstance(whole.values["fail_over_time"], Known)


def test_both_sides_are_told_side_by_side() -> None:
    """In the terminal's words and in GitHub's table."""
    judged = _judged(_journal())
    assert judged.system is not None
    blackout = judged.system.phases[1]

    assert users_text(blackout).startswith("100 prompts, 100 % in full, p50")
    assert providers_text(blackout) == "1.10 requests a prompt: main 10 (10 503), other 100"
    assert "users: in full" in job_summary(judged)
    assert job_summary(judged).count("Users of my-gateway got a whole answer to 400 of 400 prompts") == 1


def test_a_system_that_goes_past_the_testbed_is_inconclusive_with_the_reason() -> None:
    """Its users were answered, and no provider got a request."""
    journal = Journal()
    for second in range(400):
        journal.asked(float(second), text="I am somebody else's model.", pieces=[])

    judged = _judged(journal)

    assert judged.verdict == "inconclusive"
    assert any("no provider got a request: my-gateway answers by itself" in reason for reason in judged.reasons)


def test_answers_that_cannot_be_read_are_quoted() -> None:
    """A wrong JSONPath: every answer is malformed, and the reason shows how one begins."""
    journal = Journal()
    for second in range(400):
        journal.asked(float(second), ask(), outcome="malformed", pieces=[])
    journal.answers = [replace(each, begins="there is nothing at $.a; it begins with '{'") for each in journal.answers]

    judged = _judged(journal)

    assert judged.verdict == "inconclusive"
    assert any(
        "400 of 400 answers of my-gateway could not be read: there is nothing at $.a" in it for it in judged.reasons
    )


def test_a_system_need_not_meet_every_fault() -> None:
    """One that stays away from a provider that has failed never meets the next fault there; one of them is enough."""
    two = [{"http_error": 503, "lasts": "10s"}, {"cut": "clean", "at": "50s"}]
    checks = {check.name: check for check in _judged(_journal(), faults=two).checks}

    assert "felt blackout.1.cut" not in checks


def test_an_expectation_of_a_system_says_where_to_look() -> None:
    """Not in the crowd's journal, which knows nothing of the providers' requests."""
    judged = _judged(_journal(), expect=[{"phase": "blackout", "upstream_per_prompt": "<= 1"}])

    assert judged.expectations[0].hint == "look at answers.jsonl, requests.jsonl"
