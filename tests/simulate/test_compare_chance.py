"""How often a comparison is wrong: simulated pairs that differ in nothing but their seed, and pairs that do differ.

    python -m pytest -m "second or nightly" -s tests/simulate/test_compare_chance.py

prints, for each row, how many of the pairs are called worse and how many different, and for how many of them the 95 %
interval of a measure holds 0, for the measure that does so most seldom.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest

from mockbot.evidence.compare import Comparison, compare
from mockbot.evidence.verdict import JudgedRun, judge_run
from mockbot.scenario.schema import Scenario
from mockbot.simulate.simulation import Memory, simulate

Client = Literal["crowd", "command"]
MINUTES = {1: 10, 2: 10, 5: 5, 50: 2}  # of each phase, by users
ANSWER = {"first_token": "300ms", "tokens": {"median": 60, "p95": 200}, "pace": "40/s"}
CLIENTS: tuple[tuple[int, Client], ...] = ((1, "crowd"), (1, "command"), (2, "crowd"), (5, "crowd"), (50, "crowd"))
NIGHTLY = (pytest.mark.nightly, pytest.mark.timeout(3600))


def world(users: int, attempts: int) -> Scenario:
    """Calm, then 75 % of the answers are errors, then calm: 2 attempts are 1.75 for a prompt there, 8 are 3.6."""
    lasts = f"{MINUTES[users]}m"
    return Scenario.model_validate(
        {
            "name": "pair",
            "title": "Two runs of one client",
            "providers": {"main": {"slots": 100, "answer": ANSWER}},
            "crowd": {
                "all": {
                    "users": "100%",
                    "policy": {"name": "backoff", "attempts": attempts},
                    "think": "5s",
                    "patience": "60s",
                }
            },
            "phases": [
                {"name": "calm", "lasts": lasts, "users": users},
                {"name": "bad", "lasts": lasts, "faults": [{"http_error": 503, "share": "75%"}]},
                {"name": "after", "lasts": lasts},
            ],
        }
    )


def lived(scenario: Scenario, seed: int, client: Client = "crowd") -> JudgedRun:
    """One simulated run; those of a command have one key, as those of one user have."""
    memory = Memory()
    info = simulate(scenario, seed=seed, sink=memory.take, engine="reference")
    return judge_run(memory.evidence(scenario, replace(info, client=client)))


def compared(users: int, pairs: int, attempts: int = 8, client: Client = "crowd") -> Iterator[Comparison]:
    """Runs of a client with so many attempts against runs of one with 8, each with a seed of its own."""
    first, second = world(users, attempts), world(users, 8)
    for n in range(pairs):
        yield compare(lived(first, 2 * n + 1, client), lived(second, 2 * n + 2, client))


def is_different(comparison: Comparison) -> bool:
    """Whether anything is called worse or better."""
    return bool(comparison.worse or comparison.having("better"))


@pytest.mark.parametrize(
    ("users", "client", "pairs"),
    [
        pytest.param(5, "crowd", 20, marks=pytest.mark.second),
        *(pytest.param(*each, 200, marks=NIGHTLY) for each in CLIENTS),
    ],
)
def test_runs_that_differ_in_their_seed_only_are_not_called_different(users: int, client: Client, pairs: int) -> None:
    """Five per cent of the pairs at most, and the 95 % intervals of all measures hold 0 about as often as they say."""
    comparisons = list(compared(users, pairs, client=client))

    different = sum(map(is_different, comparisons))
    known, hold = Counter[str](), Counter[str]()
    for each in (difference for comparison in comparisons for difference in comparison.differences):
        if each.low is not None and each.high is not None:
            known[f"{each.measure} of {each.scope}"] += 1
            hold[f"{each.measure} of {each.scope}"] += each.low <= 0 <= each.high
    seldom = min((name for name in known if known[name] > pairs / 2), key=lambda name: hold[name] / known[name])
    worse = sum(bool(comparison.worse) for comparison in comparisons)
    told = sum(comparison.decided for comparison in comparisons)
    print(f"{users} {client}, {pairs} pairs: {worse} worse, {different} different, {told} decided;", end=" ")  # noqa: T201
    print(f"0 is within {hold[seldom]} of {known[seldom]} intervals of {seldom}")  # noqa: T201
    assert different <= 0.05 * pairs
    assert hold[seldom] >= 0.9 * known[seldom] - 1  # 1 for the few pairs of the second tier
    assert hold.total() >= 0.95 * known.total()


@pytest.mark.parametrize(
    ("users", "least", "pairs"),
    [
        pytest.param(5, 0.6, 10, marks=pytest.mark.second),
        pytest.param(5, 0.6, 200, marks=NIGHTLY),
        pytest.param(50, 0.9, 200, marks=NIGHTLY),
    ],
)
def test_a_client_that_makes_twice_the_attempts_is_called_worse(users: int, least: float, pairs: int) -> None:
    """By 60 % of the pairs of 5 users at least, and by 90 % of those of 50."""
    worse = [
        any(each.measure == "attempts_per_prompt" for each in comparison.worse)
        for comparison in compared(users, pairs, attempts=2)
    ]

    print(f"{users} users, twice the attempts, {pairs} pairs: {sum(worse)} worse")  # noqa: T201
    assert sum(worse) >= least * pairs
