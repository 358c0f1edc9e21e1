"""Each of `explain`'s answers agrees with an independent simulation (`plain_loop`), at three parameter sets.

The first set of each question is played for every change, the others at night.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import pytest

from mockbot.scenario.schema import Scenario
from mockbot.simulate.explain import duration, failing_over, paying, refreshing, telling
from mockbot.simulate.explain.answer import Answer
from mockbot.simulate.explain.experiment import Experiments
from mockbot.simulate.explain.question import Question
from mockbot.simulate.explain.setting import setting_of
from tests.simulate.plain_loop import Loop, People, Place

pytestmark = pytest.mark.second

SEEDS, LOOPS = 6, 24
BEGIN, SLO = 120.0, 30.0
SURE = 4.0  # standard errors of the difference
Take = Callable[[Loop, list[Place], list[People]], float]
Played = list[tuple[Loop, list[Place], list[People]]]


def others_at_night(first: Any, *others: Any) -> list[Any]:
    """Parameter sets, of which all but the first are for the nightly tier."""
    return [first, *(pytest.param(*each, marks=pytest.mark.nightly) for each in others)]


def world(
    place: Place, crowd: list[People], fault: dict[str, Any], lasts: float, after: float, **more: Any
) -> Scenario:
    """The same in mockbot's language; each group on its first provider, named by its number."""
    tokens = {"median": round((place.takes - 1) * 10) + 1, "p95": round((place.takes - 1) * 10) + 1}
    spec = {"slots": place.slots, "queue": {"limit": place.limit}}
    provider = spec | {"answer": {"first_token": "1s", "tokens": tokens, "pace": "10/s"}}
    people, total = sum(who.number for who in crowd), sum(who.rate for who in crowd)
    groups = {}
    for i, who in enumerate(crowd):
        wait = {"name": "backoff", "attempts": 10_000, "timeout": who.timeout}
        policy = {"name": "refresh", "every": who.reload, "timeout": "1h"} if who.reload else wait
        size = {"arrivals": who.rate / total} if who.rate else {"users": who.number / people}
        group = {"think": who.think, "patience": who.patience, "tier": who.tier or "free", "uses": f"p{who.places[0]}"}
        groups[f"g{i}"] = size | group | {"policy": {"name": "once", "timeout": who.timeout} if who.rate else policy}
    phases: list[dict[str, Any]] = [
        {"name": "calm", "lasts": BEGIN, **({"arrivals": total} if total else {"users": people})},
        {"name": "bad", "lasts": lasts, "faults": [fault]},
        {"name": "after", "lasts": after},
    ]
    providers = {f"p{i}": provider for i in sorted({who.places[0] for who in crowd})}
    whole = {"name": "w", "title": "w", "slo": SLO, "providers": providers, "crowd": groups, "phases": phases}
    return Scenario.model_validate(whole | more)


def explained(question: Question, scenario: Scenario) -> Answer:
    """One question about one file."""
    return question.answer(setting_of(scenario), Experiments(SEEDS, lambda: None), None)


def played(place: Place, crowd: list[People], lasts: float, after: float, second: Place | None = None) -> Played:
    """The runs of the plain loop, one for each seed."""
    found = []
    for seed in range(LOOPS):
        places = [replace(each, queue=[], offered=[]) for each in (place, second or place)]
        people = [replace(who, asked=[]) for who in crowd]
        last = BEGIN + lasts + after
        found.append((Loop(places, people, BEGIN, BEGIN + lasts, last, seed), places, people))
    return found


def looped(runs: Played, take: Take) -> list[float]:
    """A number of each."""
    return [take(*run) for run in runs]


def good(begin: float, end: float, *groups: int) -> Take:
    """The share of the prompts of these groups in this time that had an answer within the slo."""

    def take(_: Loop, __: list[Place], crowd: list[People]) -> float:
        took = [seconds for i in groups for asked, seconds in crowd[i].asked if begin <= asked < end]
        return mean(seconds <= SLO for seconds in took) if took else 0.0

    return take


def assert_agree(answer: Answer, what: str, loop: list[float], least: float = 0.01) -> None:
    """Both means are equal but for chance, and for `least`, because prompts at the edges are counted differently."""
    (figure,) = (each for each in answer.figures if each.what == what)
    known = [value for value in figure.values if value is not None]
    finite = [each for each in loop if math.isfinite(each)]
    apart = SURE * math.sqrt(stdev(known) ** 2 / len(known) + stdev(finite) ** 2 / len(finite))

    assert len(finite) == LOOPS
    assert mean(known) == pytest.approx(mean(finite), abs=apart + least), f"{what}: {figure} against {mean(finite):.4f}"


@pytest.mark.parametrize(
    ("users", "every", "slots", "limit", "share"),
    others_at_night((40, 6.0, 8, 24, 0.6), (60, 4.0, 10, 30, 1.0), (45, 12.0, 8, 40, 1.0)),
)
def test_what_reloading_does(users: int, every: float, slots: int, limit: int, share: float) -> None:
    """Reloaders that get through a partial fault, that stick after a whole one, and that recover."""
    place, lasts, after = Place(slots, limit, 2.0, share), 180.0, 300.0
    reload, wait = People(users, 20.0, 60.0, reload=every), People(users, 20.0, 60.0, timeout=60.0)
    told = explained(refreshing.QUESTION, world(place, [reload], {"http_error": 503, "share": share}, lasts, after))
    end = BEGIN + lasts

    for name, who in (("as written", reload), ("nobody reloads", wait)):
        runs = played(place, [who], lasts, after)
        for what, begin, until in (("in", BEGIN, end), ("after", end, end + after - 60)):
            assert_agree(told, f"{name}: good, asked {what} it", looped(runs, good(begin, until, 0)), 0.03)


@pytest.mark.parametrize(("users", "slots", "lasts"), others_at_night((60, 8, 60.0), (100, 20, 120.0), (70, 8, 40.0)))
def test_how_long_a_kept_queue_takes(users: int, slots: int, lasts: float) -> None:
    """Nothing is served meanwhile, and all wait: the loop, the simulation and the law say the same."""
    place = Place(slots, 500, 2.0, left=0.0)
    crowd = [People(users, 20.0, 3600.0, timeout=3600.0)]
    told = explained(duration.QUESTION, world(place, crowd, {"capacity": 0.0}, lasts, 600.0))
    (figure,) = (each for each in told.figures if each.what.endswith("nobody queues after"))
    loop = looped(played(place, crowd, lasts, 600.0), lambda _, places, __: places[0].empty - BEGIN - lasts)

    assert_agree(told, figure.what, loop, 1.0)  # seconds: the simulation tells whole ones
    assert figure.theory == pytest.approx(mean(loop), abs=1.5 * place.takes)  # all slots become free together


@pytest.mark.parametrize(("guests", "own", "slots"), others_at_night((20, 20, 8), (40, 30, 6), (30, 60, 12)))
def test_what_failing_over_does(guests: int, own: int, slots: int) -> None:
    """All of the first provider's users turn to the second one, which has room or has not."""
    place, lasts, after = Place(slots, 30, 4.0, fails=1.0), 300.0, 300.0
    second = Place(slots, 30, 4.0)
    crowd = [People(guests, 20.0, 60.0), People(own, 20.0, 60.0, places=(1,))]
    told = explained(failing_over.QUESTION, world(place, crowd, {"http_error": 503}, lasts, after))
    turning = [replace(crowd[0], places=(0, 1)), crowd[1]]
    end = BEGIN + lasts

    for name, people in (("as written", crowd), ("on every retry", turning)):
        runs = played(place, people, lasts, after, second)
        for what, group in (("diverted", 0), ("regular", 1)):
            assert_agree(told, f"{name}: {what}, good in it", looped(runs, good(BEGIN, end, group)), 0.03)


@pytest.mark.parametrize(
    ("users", "think", "lasts"), others_at_night((100, 20.0, 60.0), (200, 60.0, 120.0), (60, 30.0, 300.0))
)
def test_what_a_retry_after_to_the_second_does(users: int, think: float, lasts: float) -> None:
    """The peak after the end, which the law tells too (15 %), and what is sent in the outage."""
    place = Place(20, 2000, 2.0, fails=1.0, returns=True)
    crowd = [People(users, think, 3600.0, timeout=3600.0)]
    told = explained(telling.QUESTION, world(place, crowd, {"http_error": 503}, lasts, 300.0))
    figures = {figure.what: figure for figure in told.figures}
    end, capacity = BEGIN + lasts, 10.0

    def peak(_: Loop, places: list[Place], __: list[People]) -> float:
        return sum(end <= t < end + place.takes for t in places[0].offered) / place.takes / capacity

    def sent(_: Loop, places: list[Place], __: list[People]) -> float:
        return sum(BEGIN <= t < end for t in places[0].offered) / lasts / capacity

    runs = played(place, crowd, lasts, 300.0)
    peaks, theory = looped(runs, peak), figures["exact Retry-After: peak after it / capacity"].theory

    assert_agree(told, "exact Retry-After: peak after it / capacity", peaks, 0.3)
    assert_agree(told, "exact Retry-After: requests in it / capacity", looped(runs, sent), 0.01)
    assert theory == pytest.approx(mean(peaks), rel=0.15)


@pytest.mark.parametrize(("free", "plus", "left"), others_at_night((6.0, 2.0, 0.5), (4.0, 4.0, 0.5), (5.0, 1.0, 0.75)))
def test_what_paying_users_get(free: float, plus: float, left: float) -> None:
    """A blind queue gives both the same; served first, they get all that they ask for, and the law says how much."""
    place = Place(16, 20, 2.0, left=left)
    crowd = [People(0, 1.0, 60.0, rate=free), People(0, 1.0, 60.0, rate=plus, tier="plus")]
    told = explained(paying.QUESTION, world(place, crowd, {"capacity": left}, 300.0, 60.0))

    for name, first in (("as written", ""), ("paying first", "plus")):
        runs = played(replace(place, first=first or "nobody"), crowd, 300.0, 60.0)
        for group, tier in enumerate(("free", "plus")):
            assert_agree(told, f"{name}: {tier}, good in it", looped(runs, good(BEGIN, BEGIN + 300, group)), 0.02)
    for figure in told.figures:
        if figure.theory is not None:
            assert figure.simulated.mean == pytest.approx(figure.theory, abs=0.06)
    assert any(figure.theory is not None for figure in told.figures)
