"""What holds for every journal: shares are shares, nothing depends on the order, every scope adds up."""

import math
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from mockbot.evidence.records import OUTCOMES, Attempt, Prompt, ServiceSecond
from mockbot.evidence.verdict import judge
from mockbot.measures.scope import Scope
from mockbot.measures.table import EXPECTED, TABLE
from mockbot.measures.text import format_value
from mockbot.measures.values import Beyond, Known, Undefined
from tests.evidence.build import FAULT, attempt, evidence, prompt, scenario

times = st.integers(0, 4200).map(lambda tenth: tenth / 10)
lengths = st.integers(0, 600).map(lambda tenth: tenth / 10)
groups = st.sampled_from(["patient", "hasty"])
prompts = st.builds(
    lambda at, took, settled, group, attempts: prompt(at, took, settled, group=group, attempts=attempts),
    times,
    lengths,
    st.sampled_from(["answered", "gave_up", "unfinished"]),
    groups,
    st.integers(0, 9),
)
attempts = st.builds(
    lambda at, took, outcome, group: attempt(at, took, outcome, group=group),
    times,
    lengths,
    st.sampled_from(OUTCOMES),
    groups,
)
seconds = st.builds(
    lambda t, offered, finished, work, part: ServiceSecond(
        t, "main", offered, finished=finished, work=work, wasted=work * part, capacity=10.0, felt={FAULT: 1}
    ),
    st.integers(0, 400),
    st.integers(0, 99),
    st.integers(0, 9),
    st.integers(0, 10).map(float),
    st.sampled_from([0.0, 0.25, 1.0]),
)


def by_different_users(requests: list[Prompt | Attempt]) -> list[Prompt | Attempt]:
    """One user's prompts come one after the other in every journal; these have one each."""
    return [
        replace(request, user=f"u{n}", id=f"p{n}") if isinstance(request, Prompt) else request
        for n, request in enumerate(requests)
    ]


journals = st.lists(prompts | attempts, max_size=60).map(by_different_users)
TOLD = scenario(expect=[{"availability": ">= 50%"}, {"recovery_time": "<= 1m"}, {"group": "hasty", "goodput": "> 0/s"}])


@settings(max_examples=60, deadline=None)
@given(journals, st.lists(seconds, max_size=20))
def test_every_measure_of_every_scope_is_sound(requests: list[Prompt | Attempt], seen: list[ServiceSecond]) -> None:
    """Shares in 0..1, nothing negative, nothing that is not a number, everything can be said in words."""
    judgement = judge(evidence(requests, seen, of=TOLD))

    values = [(name, value) for row in judgement.measures for name, value in row.values.items()]
    numbers = [(name, value.number) for name, value in values if isinstance(value, Known)]
    assert [value for name, value in numbers if TABLE[name].unit == "share" and not 0 <= value <= 1] == []
    assert [value for _, value in numbers if math.isnan(value) or value < 0] == []
    assert [value for _, value in values if isinstance(value, Beyond) and not 0 <= value.bound < math.inf] == []
    assert [value for _, value in values if isinstance(value, Undefined) and not value.why] == []
    assert all(format_value(name, value) for name, value in values)


def shuffled(requests: list[Prompt | Attempt], seed: int) -> list[Prompt | Attempt]:
    """Any order in which each prompt's own lines keep theirs: one process writes them."""
    lines: dict[str, list[Prompt | Attempt]] = {}
    for request in requests:
        lines.setdefault(_prompt_of(request), []).append(request)
    order = Random(seed).sample(requests, len(requests))
    return [lines[_prompt_of(request)].pop(0) for request in order]


def _prompt_of(request: Prompt | Attempt) -> str:
    return request.id if isinstance(request, Prompt) else request.prompt


@settings(max_examples=60, deadline=None)
@given(journals, st.lists(seconds, max_size=20), st.integers(0, 99))
def test_the_order_of_the_lines_does_not_matter(
    requests: list[Prompt | Attempt], seen: list[ServiceSecond], seed: int
) -> None:
    """Several processes write one journal; however their lines are mixed, the summary is the same to the byte."""
    run = evidence(requests, seen, of=TOLD)
    mixed = evidence(shuffled(requests, seed), seen, of=TOLD)

    assert judge(run).json_text() == judge(mixed).json_text()


@settings(max_examples=60, deadline=None)
@given(journals)
def test_the_parts_add_up_to_the_whole(requests: list[Prompt | Attempt]) -> None:
    """The prompts of all phases, of all groups, and of all tiers are the prompts of the run."""
    rows = {row.scope: row.values for row in judge(evidence(requests, of=TOLD)).measures}

    def total(*scopes: Scope) -> float:
        return sum(value.number for scope in scopes if isinstance(value := rows[scope]["prompts"], Known))

    assert (
        total(Scope())
        == total(*(Scope(phase=phase) for phase in ("steady", "blackout", "after")))
        == total(*(Scope(group=group) for group in ("patient", "hasty")))
        == total(Scope(tier="free"), Scope(tier="plus"))
    )
    assert all(set(measures) >= {each.name for each in EXPECTED} for measures in rows.values())
