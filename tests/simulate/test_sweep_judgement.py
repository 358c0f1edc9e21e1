"""A point of a sweep is judged by its users, and its edge by a test that says how sure it is."""

from itertools import count
from random import Random

import pytest

from mockbot.evidence.records import Prompt, Settled
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.sweep.edges import Count, edge_between, share_interval
from mockbot.simulate.sweep.wellness import Outcome, Share, Window, windows
from tests.simulate.build import scenario

SLO = 60.0
_ids = count()


def _prompt(user: str, intended: float, end: float, settled: Settled = "answered") -> Prompt:
    return Prompt(f"{next(_ids)}", user, "all", "free", intended, intended, end, settled, 1)


def _share(*prompts: Prompt) -> Share:
    window = Window(100, 200, SLO)
    for prompt in prompts:
        window.add(prompt)
    return window.share()


def test_a_crowd_that_waits_and_cannot_ask_is_not_well() -> None:
    """Nine have waited since before the window; the one answer in it is 100 % of what was asked, not of the users."""
    stuck = [_prompt(f"user-{n}", 20, 230, "unfinished") for n in range(9)]

    assert _share(*stuck, _prompt("lucky", 150, 151)) == Share(0.1, 10)


def test_a_user_is_as_well_as_the_last_prompt_that_was_decided() -> None:
    """Also when it was decided before the window, while the next one is still young."""
    young = _prompt("a", 190, 230, "unfinished")

    assert _share(_prompt("a", 20, 25), young) == Share(1.0, 1)
    assert _share(_prompt("a", 20, 25, "gave_up"), young) == Share(0.0, 1)
    assert _share(_prompt("a", 120, 125, "gave_up"), _prompt("a", 130, 135)) == Share(1.0, 1)


def test_an_answer_after_the_slo_is_decided_against_when_the_slo_is_over() -> None:
    """It is bad from then on, though it came in the end."""
    assert _share(_prompt("a", 110, 195)) == Share(0.0, 1)
    assert _share(_prompt("a", 10, 12), _prompt("a", 150, 240)) == Share(1.0, 1)


def test_one_user_with_many_prompts_is_one_user() -> None:
    """A crowd that fails fast does not outweigh those who wait."""
    fast = [_prompt("fast", 100 + n, 100.1 + n, "gave_up") for n in range(50)]

    assert _share(*fast, _prompt("slow", 150, 155)) == Share(0.5, 2)


def test_where_nobody_asks_in_the_window_all_who_ever_asked_count() -> None:
    """One user who thinks for long is well after a good answer."""
    assert _share(_prompt("a", 20, 25)) == Share(1.0, 1)
    assert _share().users == 0


@pytest.mark.parametrize(
    ("calm", "end", "state"),
    [
        (Share(1.0, 100), Share(1.0, 100), "recovered"),
        (Share(1.0, 100), Share(0.5, 100), "stuck"),
        (Share(0.5, 100), Share(0.5, 100), "overloaded"),
        (None, Share(0.5, 100), "stuck"),
        (Share(0.95, 100), Share(0.82, 100), "recovered"),  # less than 0.855 by chance
        (Share(1.0, 4), Share(0.75, 4), "recovered"),  # one of four says nothing
        (None, Share(0.0, 0), "unasked"),
    ],
)
def test_a_state_is_told_beyond_chance(calm: Share | None, end: Share, state: str) -> None:
    """Two standard deviations of a binomial count."""
    assert Outcome(calm, end).state == state


def test_the_end_is_looked_at_for_a_minute_but_not_before_the_clear() -> None:
    """A quarter of what follows at most; of a run that ends in its outage, the end of the whole."""
    _, last = windows(Timeline(scenario([{"crash": True}])))
    calm, within = windows(Timeline(scenario(phases=[{"name": "all", "lasts": "400s", "users": 9}])))
    no_calm, outage = windows(
        Timeline(scenario(phases=[{"name": "bad", "lasts": "400s", "users": 9, "faults": [{"crash": True}]}]))
    )

    assert (last.begin, last.end) == (275, 300)
    assert calm is not None
    assert (within.begin, within.end) == (340, 400)
    assert no_calm is None
    assert (outage.begin, outage.end) == (340, 400)


def test_an_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    """0 of 3 may be 71 %; 5 of 10 lies between 19 and 81 % (their tables)."""
    assert share_interval(Count(0, 3)) == pytest.approx((0.0, 0.7076), abs=1e-4)
    assert share_interval(Count(3, 3)) == pytest.approx((0.2924, 1.0), abs=1e-4)
    assert share_interval(Count(5, 10)) == pytest.approx((0.1871, 0.8129), abs=1e-4)


@pytest.mark.parametrize(
    ("down", "runs", "between"),
    [
        ([0, 0, 0, 3, 3, 3], 3, (1, 4)),  # two points of three runs are six
        ([3, 3, 3, 0, 0, 0], 3, (1, 4)),  # falling
        ([0, 0, 8, 8], 8, (1, 2)),  # eight runs say enough of their own point
        ([0, 0, 4, 8, 8], 8, (1, 3)),
        ([0, 1], 1, (None, None)),  # two runs say nothing
        ([0, 1, 1, 1, 1, 1, 1], 1, (None, 6)),  # six of one run each
        ([0, 0, 0], 3, None),
        ([3, 3, 3], 3, None),
    ],
)
def test_an_edge_is_told_as_narrow_as_the_runs_allow(
    down: list[int], runs: int, between: tuple[int | None, int | None] | None
) -> None:
    """Six runs that end alike are rarer than one in forty by chance."""
    assert edge_between([Count(each, runs) for each in down]) == between


def test_the_edge_lies_in_its_interval_in_nineteen_of_twenty_grids() -> None:
    """Drawn 400 times from a known edge at the middle of nine points, where half of the runs recover."""
    shares, runs, rng = [0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99], 8, Random(3)
    held = 0
    for _ in range(400):
        row = [Count(sum(rng.random() < share for _ in range(runs)), runs) for share in shares]
        low, high = edge_between(row) or (None, None)
        held += (low is None or low <= 4) and (high is None or high >= 4)

    assert held >= 0.95 * 400
