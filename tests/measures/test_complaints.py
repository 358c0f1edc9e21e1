"""Complaints in public: who complains, when, and how many did before the status page admitted the outage."""

from collections.abc import Sequence

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.public_complaints import complaint
from mockbot.evidence.records import Prompt
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known, Undefined, Value
from mockbot.scenario.parts import Complaints
from tests.evidence.build import evidence, measured, prompt, scenario, steady

ADMITTED = [{"at": "160s", "state": "investigating", "impact": "major"}]
GAVE_UP = steady(100, 200, took=5.0, settled="gave_up")
JOURNAL = [*steady(0, 100), *GAVE_UP, *steady(200, 400)]


def taken(name: str, requests: Sequence[Prompt], share: str | None = "100%", **changes: object) -> Value:
    """A measure of the whole run; of the patient group this share complains, after a second at the mean."""
    crowd: dict[str, dict[str, object]] = {"patient": {"users": "100%", "policy": "backoff", "patience": "60s"}}
    if share is not None:
        crowd["patient"]["complains"] = {"share": share, "after": "1s"}
    run = evidence(requests, of=scenario(crowd=crowd, status_page=ADMITTED, **changes))
    return measured(count_run(run), Scope())[name]


def number(value: Value) -> float:
    assert isinstance(value, Known)
    return value.number


def test_whoever_was_not_answered_complains() -> None:
    """Everyone where the share is all, nobody where it is none, and the same ones when it is judged again."""
    assert taken("complaints", JOURNAL) == Known(len(GAVE_UP))
    assert taken("complaints", JOURNAL, share="0%") == Known(0)
    assert taken("complaints", JOURNAL, share="50%") == taken("complaints", JOURNAL, share="50%")


def test_a_share_complains_after_an_exponential_time() -> None:
    """Of 20,000 failed prompts 5 % complain, after two minutes at the mean: within four standard deviations."""
    failed = [prompt(0.0, 10.0, "gave_up", name=f"p{n}") for n in range(20_000)]
    made = [at - 10.0 for each in failed if (at := complaint(each, Complaints(), seed=1)) is not None]

    assert len(made) == pytest.approx(1000, abs=4 * (20_000 * 0.05 * 0.95) ** 0.5)
    assert sum(made) / len(made) == pytest.approx(120, abs=4 * 120 / len(made) ** 0.5)


def test_complaints_before_the_page_admits_it_are_counted_apart() -> None:
    """The page says so at 160 s: of prompts that fail from 105 to 205 s, about 55 s of complaints come before it."""
    before = number(taken("complaints_before_acknowledged", JOURNAL))

    assert 0.45 * len(GAVE_UP) < before < 0.6 * len(GAVE_UP)


def test_minutes_of_users_before_the_page_admits_it() -> None:
    """A user is down from 110 to 230 s; the page admits it at 160 s: 50 s of one user."""
    one = [
        prompt(0.0, 1.0, user="me"),
        prompt(110.0, 30.0, "gave_up", user="me"),
        prompt(150.0, 30.0, "gave_up", user="me"),
        prompt(220.0, 10.0, user="me"),
    ]

    assert number(taken("unacknowledged_user_minutes", one)) == pytest.approx(50 / 60)


def test_nobody_complains_unless_the_scenario_says_so() -> None:
    """The measures say why they are not known."""
    assert taken("complaints", JOURNAL, share=None) == Undefined("no group of the scenario complains")
