"""The first screen of the report: every question has an answer, whatever the run was."""

from mockbot.evidence.verdict import judge
from mockbot.report.first_screen import MOST, first_screen
from tests.evidence.build import FELT, attempt, evidence, prompt, scenario, sound_run


def test_a_run_without_findings_says_that_nothing_is_to_be_changed() -> None:
    """Neither question is left empty, which would read like something forgotten."""
    well = [each for n in range(400) for each in (attempt(float(n), of=f"p{n}"), prompt(float(n), name=f"p{n}"))]
    judgement = judge(evidence(well, FELT))

    told = {each.question: " ".join(each.sentences) for each in first_screen(judgement)}

    assert judgement.findings == ()
    assert told["What made it worse"] == "Nothing that the clients did."
    assert told["What to change"]
    assert told["What happened"].startswith("For ")
    assert "down" in told["Who suffered, how long"]


def test_findings_are_told_with_their_remedies_and_the_rest_is_counted() -> None:
    """No more than fit on the screen."""
    hammered = [attempt(100.0 + n, 0.1, "http_error", of="h", n=n) for n in range(40)]
    judgement = judge(evidence([*sound_run(), *hammered, prompt(100.0, 40.0, "gave_up", name="h")], FELT))

    *_, worse, change = first_screen(judgement)

    assert judgement.findings
    assert judgement.findings[0].did in worse.sentences[0]
    assert judgement.findings[0].remedy in change.sentences[0]
    assert len(worse.sentences) <= MOST


def test_without_a_finding_it_is_not_said_that_a_journal_is_to_be_changed() -> None:
    """An expectation fails, and no habit of the clients explains it: where to look."""
    well = [each for n in range(400) for each in (attempt(float(n), of=f"p{n}"), prompt(float(n), name=f"p{n}"))]
    judgement = judge(evidence(well, FELT, of=scenario(expect=[{"phase": "blackout", "latency_p95": "<= 10ms"}])))

    *_, change = first_screen(judgement)

    assert (judgement.verdict, judgement.findings) == ("fail", ())
    assert change.sentences[0] == "No finding says what; look at those that missed."
    assert change.sentences[1].startswith("For latency_p95 (phase blackout): look at journal.jsonl")
