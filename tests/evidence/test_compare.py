"""Two runs against each other: only differences beyond chance are reported."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.compare import Comparison, Difference, compare
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.verdict import judge_run
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known
from mockbot.report.comparison_report import exit_code, verdict_sentence
from tests.evidence.build import AFTER, CALM, FELT, OUTAGE, evidence, health, prompt, scenario
from tests.evidence.system_build import Journal, ask

DEAD = ask(outcome="http_error", status=503, took=0.1)


def client(
    seed: int,
    *,
    fails: float = 0.5,
    took: float = 2.0,
    attempts: int = 2,
    back: float = 0.0,
    users: int = 30,
    every: float = 10.0,
) -> list[Prompt]:
    """One prompt a user `every` 10 s; in the blackout a share fails, and until `back` seconds after it all do."""
    rng = Random(seed)
    prompts = []
    for user in range(users):
        luck = rng.gauss(fails, 0.1)  # some users fare better than others all the time
        for n in range(round(400 / every)):
            at = (n + user / users) * every
            lost = rng.random() < luck if 100 <= at < 200 else 200 <= at < 200 + back
            waits = rng.lognormvariate(0, 0.3) * took
            prompts.append(
                prompt(
                    at,
                    5.0 if lost else waits,
                    "gave_up" if lost else "answered",
                    name=f"u{user}.{n}",
                    user=f"u{user}",
                    group="patient" if user % 2 else "hasty",
                    attempts=attempts if lost else 1,
                )
            )
    return prompts


def run(requests: Sequence[Attempt | Prompt], **how: Any) -> RunEvidence:
    return evidence(requests, FELT, **how)


def behind_a_system(*upstream: Any) -> RunEvidence:
    """A prompt a second; in the blackout each makes these requests."""
    journal = Journal()
    for second in range(400):
        journal.asked(float(second), *(upstream if 100 <= second < 200 else (ask(),)))
    made = evidence([*journal.attempts, *journal.prompts], of=scenario(providers={"main": {"slots": 10}, "other": {}}))
    known = replace(made.info, system="my-gateway")
    return replace(made, info=known, answers=tuple(journal.answers), upstream=tuple(journal.requests))


def compared(a: RunEvidence, b: RunEvidence) -> Comparison:
    return compare(judge_run(a), judge_run(b))


def found(comparison: Comparison, measure: str, scope: Scope | None = None) -> Difference:
    wanted = scope or Scope()
    return next(each for each in comparison.differences if (each.measure, each.scope) == (measure, wanted))


@pytest.mark.parametrize("seed", range(4))
def test_the_same_client_does_not_differ_from_itself(seed: int) -> None:
    """Another seed and the same behaviour: nothing is better or worse."""
    comparison = compared(run(client(seed)), run(client(seed + 100)))

    assert {each.change for each in comparison.differences} <= {"same", "unknown"}
    assert found(comparison, "availability").change == found(comparison, "latency_p95").change == "same"
    assert comparison.decided


def test_a_client_that_fails_more_is_worse() -> None:
    """Half of the blackout's prompts against nine tenths: worse there, and in the whole run."""
    comparison = compared(run(client(1)), run(client(2, fails=0.9)))

    difference = found(comparison, "availability", Scope(phase="blackout"))
    assert difference.change == "worse"
    assert difference.low is not None
    assert difference.high is not None
    assert -0.5 < difference.low < -0.4
    assert -0.3 < difference.high < -0.2  # 0.37 apart, with a standard error of 0.04 over 30 users
    assert found(comparison, "availability", Scope(phase="steady")).change == "same"


def test_a_client_that_fails_less_is_better() -> None:
    """The other way round."""
    comparison = compared(run(client(2, fails=0.9)), run(client(1)))

    assert found(comparison, "availability").change == "better"
    assert comparison.worse == ()


def test_more_attempts_and_longer_waits_are_worse() -> None:
    """Less is better there."""
    comparison = compared(run(client(1)), run(client(2, attempts=6, took=4.0)))

    assert found(comparison, "attempts_per_prompt").change == "worse"
    assert found(comparison, "latency_p50", Scope(phase="after")).change == "worse"


def test_a_recovery_that_takes_longer_is_worse() -> None:
    """At once against a minute."""
    comparison = compared(run(client(1)), run(client(2, back=60.0)))

    difference = found(comparison, "recovery_time")
    assert (difference.a, difference.change) == (Known(0), "worse")


def test_never_recovering_is_worse_than_recovering() -> None:
    """Infinitely much, in every replica."""
    comparison = compared(run(client(1)), run(client(2, back=200.0)))

    difference = found(comparison, "recovery_time")
    assert isinstance(difference.b, Beyond)
    assert difference.change == "worse"


def test_a_difference_too_small_to_matter_is_none() -> None:
    """Always two per cent slower: certain, and too small to matter."""
    comparison = compared(run(client(1)), run(client(1, took=2.04)))

    assert found(comparison, "latency_p50").change == "same"


def test_the_same_runs_give_the_same_comparison() -> None:
    """The random draws are seeded."""
    a, b = run(client(1)), run(client(2, fails=0.6))

    assert compared(a, b) == compared(a, b)


def test_small_scopes_are_left_out() -> None:
    """A group with fewer than twenty prompts is not compared."""
    few = client(1, users=2)

    scopes = {each.scope for each in compared(run(few), run(few)).differences}

    assert Scope() in scopes
    assert Scope(phase="blackout", group="patient") not in scopes


LONGER = AFTER | {"lasts": "300s"}


def test_phases_that_both_runs_have_are_compared() -> None:
    """The one that lasts longer is left out, and so is the whole run, whose measures depend on it; that is noted."""
    comparison = compared(run(client(1)), run(client(2, fails=0.9), of=scenario(phases=[CALM, OUTAGE, LONGER])))

    assert {each.scope.phase for each in comparison.differences} == {"steady", "blackout"}
    assert found(comparison, "availability", Scope(phase="blackout")).change == "worse"
    assert comparison.notes[0] == "their phases differ; left out: the whole run, after (200s and 300s)"


def test_runs_without_a_common_phase_cannot_be_compared() -> None:
    """The message shows the phases of both."""
    other = scenario(phases=[CALM | {"name": "quiet"}, LONGER], expect=[])

    with pytest.raises(UsageError, match=r"after 200s \| quiet 100s, after 300s"):
        compared(run(client(1)), run(client(1), of=other))


def test_one_client_is_told_by_blocks_of_time() -> None:
    """One user, who asks every second: no other user shows how much is chance, so that blocks of each phase do."""
    comparison = compared(run(client(1, users=1, every=1.0)), run(client(2, users=1, every=1.0, fails=0.95)))

    assert found(comparison, "availability", Scope(phase="blackout")).change == "worse"
    assert found(comparison, "latency_p50", Scope(phase="steady")).change == "same"
    assert found(comparison, "recovery_time").change == "unknown"
    assert comparison.decided


def test_a_few_prompts_of_one_client_decide_nothing() -> None:
    """92 % of 40 prompts against 75 %: that may be chance, so it is neither worse nor the same."""
    comparison = compared(run(client(1, users=1, fails=0.3)), run(client(2, users=1, fails=0.7)))

    assert found(comparison, "availability").change == "unknown"
    assert comparison.worse == ()
    assert not comparison.decided


def test_prompts_of_one_moment_show_no_noise() -> None:
    """A group whose prompts are all within 5 s: nothing is left without that block, so that nothing is known."""
    burst = [prompt(50 + n / 8, name=f"b{n}", user=f"b{n}", group="hasty") for n in range(40)]
    patient = [each for each in client(1) if each.group == "patient"]

    comparison = compared(run([*patient, *burst]), run([*patient, *burst]))

    assert found(comparison, "availability", Scope(phase="steady", group="hasty")).change == "unknown"
    assert found(comparison, "availability", Scope(phase="steady", group="patient")).change == "same"


def test_fewer_attempts_are_not_better_where_fewer_are_answered() -> None:
    """A client that gives up after one attempt in place of six sends less, and answers less."""
    comparison = compared(run(client(1, attempts=6)), run(client(2, fails=0.9)))

    attempts = found(comparison, "attempts_per_prompt", Scope(phase="blackout"))
    assert isinstance(attempts.a, Known)
    assert isinstance(attempts.b, Known)
    assert attempts.b.number < attempts.a.number - 1
    assert attempts.change == "traded"
    assert "better" not in {each.change for each in comparison.differences}


def test_a_run_that_says_nothing_makes_the_comparison_say_nothing() -> None:
    """A failed validity check in either run."""
    assert compared(run(client(1)), run(client(2), ended="failed", why="lost")).broken == (
        "the second run: the run did not complete, it failed: lost; see the logs in the run folder",
    )


def test_different_speeds_cannot_be_compared() -> None:
    """What the machine adds to an answer is multiplied by the speed."""
    assert compared(run(client(1)), run(client(1), speed=20.0)).broken == (
        "the runs had different speeds, 1 and 20: run them at the same one",
    )


def test_what_else_may_have_made_the_difference_is_noted() -> None:
    """Another seed, another scenario, a busier machine, and a calm that differs already."""
    busy = tuple(type(each)(each.t, each.node, 0.0, 0.0, 0.3, 0.9) for each in health())
    other = scenario(slo="11s")

    notes = compared(run(client(1)), run(client(2, took=4.0), seed=9, of=other, kept_up=busy)).notes

    assert [note.split(",")[0] for note in notes] == [
        "their seeds differ",
        "their scenarios differ in slo",
        "the machine was busy to 40 % and 90 %: a part of the difference in latencies may be the machine's",
        "they differ before anything went wrong",
    ]


def test_an_empty_run_can_be_compared_and_says_nothing() -> None:
    """Runs without data have no differences."""
    comparison = compared(run([]), run(client(1)))

    assert comparison.differences == ()
    assert not comparison.decided
    assert any("no data is no success" in reason for reason in comparison.broken)


def test_what_a_system_asked_its_providers_is_told_without_an_interval() -> None:
    """One that asks the dead provider twice against one that asks it once, and whose answers are all whole."""
    first, second = (judge_run(behind_a_system(*each)) for each in ((DEAD, DEAD, ask("other")), (DEAD, ask("other"))))

    notes = compare(first, second).notes

    assert "upstream_per_prompt, without an interval: whole run 1.50 and 1.25, phase blackout 3.00 and 2.00" in notes
    assert not [note for note in notes if note.startswith("laundered")]


def test_an_expectation_with_another_result_is_told() -> None:
    """Beside what differs beyond chance."""
    promised = scenario(expect=[{"phase": "blackout", "availability": ">= 50%"}])

    notes = compared(run(client(1, fails=0.9), of=promised), run(client(2, fails=0.1), of=promised)).notes

    assert "expectation availability >= 50% (phase blackout): fail and pass" in notes


def test_nothing_compared_is_told_as_such() -> None:
    """One client of a smoke test asks too little; "0 of 0 measures" would say nothing."""
    nothing = Comparison(differences=(), broken=())

    assert verdict_sentence(nothing).startswith("Nothing was compared: neither in a phase")
    assert exit_code(nothing) is ExitCode.INCONCLUSIVE
