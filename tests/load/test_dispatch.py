"""The contract of our dispatcher with the installed Locust, whose private names it uses: exact counts."""

from collections import Counter
from typing import Any

import pytest

from tests.load.conftest import Inside

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def steps(inside: Inside) -> dict[str, Any]:
    """What the dispatcher did, in a process where Locust lives."""
    found: dict[str, Any] = inside("dispatcher")
    return found


def _sum(placed: dict[str, dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for users in placed.values():
        total.update(users)
    return {name: total[name] for name in ("free", "paid", "visitors")}


@pytest.mark.parametrize("stage", ["local", "workers"])
def test_every_class_has_exactly_the_wanted_users(steps: dict[str, Any], stage: str) -> None:
    """After every step, ramp up, ramp down, worker lost or gained, the counts of all classes are met exactly."""
    assert [_sum(step["placed"]) for step in steps[stage]] == [step["wanted"] for step in steps[stage]]


def test_workers_share_each_class_evenly(steps: dict[str, Any]) -> None:
    """No worker has two users of a class more than another, also after one joined and one left."""
    uneven = [
        (name, users)
        for step in steps["workers"]
        for name in ("free", "paid", "visitors")
        if max(users := [worker[name] for worker in step["placed"].values()]) - min(users) > 1
    ]

    assert uneven == []


def test_growth_moves_no_user(steps: dict[str, Any]) -> None:
    """One user more of one class changes one number on one worker: nobody is taken away here to be started there."""
    before, after = steps["workers"][0]["placed"], steps["workers"][1]["placed"]
    changed = [(w, n, after[w][n] - before[w][n]) for w in before for n in before[w] if after[w][n] != before[w][n]]

    assert [change for _, _, change in changed] == [1]


def test_a_lost_worker_has_no_users(steps: dict[str, Any]) -> None:
    """What ran on the worker that left runs on the others."""
    assert set(steps["workers"][3]["placed"]) == {"a", "b", "c"}
    assert set(steps["workers"][4]["placed"]) == {"b", "c"}


def test_a_dispatch_comes_to_an_end(steps: dict[str, Any]) -> None:
    """Locust starts no other dispatch while one is in progress."""
    assert not any(step["in_progress"] for stage in ("local", "workers") for step in steps[stage])


def test_other_shapes_get_the_stock_dispatcher(steps: dict[str, Any]) -> None:
    """A locustfile's own shape with plain user classes works as ever."""
    assert steps["stock"] == 9
