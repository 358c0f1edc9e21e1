"""Two runs against each other: only differences beyond chance are reported."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from mockbot.errors import UsageError
from mockbot.evidence.compare import Comparison, Difference, compare
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.verdict import judge_run
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known
from tests.evidence.build import AFTER, CALM, FELT, OUTAGE, evidence, health, prompt, scenario


def client(
    seed: int, *, fails: float = 0.5, took: float = 2.0, attempts: int = 2, back: float = 0.0, users: int = 30
) -> list[Prompt]:
    """One prompt a user every 10 s; in the blackout a share fails, and until `back` seconds after it all do."""
    rng = Random(seed)
    prompts = []
    for user in range(users):
        luck = rng.gauss(fails, 0.1)  # some users fare better than others all the time
        for n in range(40):
            at = n * 10 + user * 10 / users
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


def compared(a: RunEvidence, b: RunEvidence) -> Comparison:
    return compare(judge_run(a), judge_run(b), draws=60)


def found(comparison: Comparison, measure: str, scope: Scope | None = None) -> Difference:
    wanted = scope or Scope()
    return next(each for each in comparison.differences if (each.measure, each.scope) == (measure, wanted))


@pytest.mark.parametrize("seed", range(4))
def test_the_same_client_does_not_differ_from_itself(seed: int) -> None:
    """Another seed and the same behaviour: no difference is reported."""
    comparison = compared(run(client(seed)), run(client(seed + 100)))

    assert [each for each in comparison.differences if each.change != "same"] == []


def test_a_client_that_fails_more_is_worse() -> None:
    """Half of the blackout's prompts against nine tenths: worse there, and in the whole run."""
    comparison = compared(run(client(1)), run(client(2, fails=0.9)))

    difference = found(comparison, "availability", Scope(phase="blackout"))
    assert difference.change == "worse"
    assert difference.low is not None
    assert difference.high is not None
    assert -0.5 < difference.low < -0.4 < difference.high < -0.3
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


def test_runs_of_different_scenarios_cannot_be_compared() -> None:
    """Their phases differ; the message shows both."""
    other = scenario(phases=[CALM, OUTAGE, AFTER | {"lasts": "300s"}])

    with pytest.raises(UsageError, match=r"after 200s \| .*after 300s"):
        compared(run(client(1)), run(client(1), of=other))


def test_a_run_that_says_nothing_makes_the_comparison_say_nothing() -> None:
    """A failed validity check in either run."""
    assert compared(run(client(1)), run(client(2), ended="failed", why="lost")).broken == (
        "the second run: the run did not complete, it failed: lost",
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
    assert any("no data is no success" in reason for reason in comparison.broken)
