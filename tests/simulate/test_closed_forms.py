"""Both engines against laws of queues that hold for the answers that a scenario can have: log-normal, or all alike.

Each law at one set of parameters, and at night at two others and at one more, which the date draws and the test
prints. Compared are means over the seconds of the provider, of all users, after a tenth of the time. A law fails when
the mean over the seeds is FAR standard errors away from it, or when half the mean's 95 % interval is more than the
tolerance, so that it says little. (Laws of exponential answers: tests/service/test_theory.py.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from statistics import fmean, stdev
from typing import Any

import pytest

from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.student_t import t_quantile
from mockbot.scenario.schema import Scenario
from mockbot.simulate.change_points import Record
from mockbot.simulate.engines import Engine, start
from tests.simulate import queueing

PROMPTS: dict[Engine, int] = {"fast": 80_000, "reference": 10_000}  # of a run
SEEDS = range(1, 13)
FAR = 7.0  # Student's t with 11 degrees of freedom is beyond it once in 40,000 times: no night in years
PACE = 2000.0
SHORT = 0.1  # seconds between two answers at full load, where there is a queue: it is another one a second later
Set = tuple[float, ...]
Seconds = Sequence[ServiceSecond]


def _answer(mean: float, sigma: float) -> dict[str, Any]:
    """Seconds in a slot: log-normal with this mean, in steps of 0.5 ms."""
    median = round(PACE * mean * math.exp(-(sigma**2) / 2))
    return {
        "first_token": 0,
        "tokens": {"median": median, "p95": round(median * math.exp(1.6448536 * sigma))},
        "pace": PACE,
    }


def _moments(world: Scenario) -> tuple[float, float]:
    """Mean and mean square of the time in a slot, as the file has it: a token less; 1/12 is of rounding to tokens."""
    tokens = world.providers["main"].answer.tokens
    variance = (math.log(tokens.p95 / tokens.median) / 1.6448536) ** 2
    mean, square = tokens.median * math.exp(variance / 2), tokens.median**2 * math.exp(2 * variance)
    square += 1 / 12 if variance else 0.0
    return (mean - 1) / PACE, (square - 2 * mean + 1) / PACE**2


def _world(prompts: int, rate: float, provider: dict[str, Any], **group: Any) -> Scenario:
    """Arrivals, or with `users` a crowd that asks as often when nobody waits."""
    who: dict[str, Any] = {"policy": {"name": "once", "timeout": "20h"}, "patience": "20h"} | group
    users = who.pop("count", None)
    crowd = {"all": who | {"arrivals" if users is None else "users": "100%"}}
    much = {"arrivals": rate} if users is None else {"users": users}
    phases = [{"name": "all", "lasts": max(60.0, prompts / rate)} | much]
    words = {"name": "law", "title": "A law", "providers": {"main": provider}, "crowd": crowd, "phases": phases}
    return Scenario.model_validate(words)


@dataclass(frozen=True)
class Law:
    """`world` makes a scenario of a number of prompts and a set; `theory` says what `measure` finds in its seconds."""

    sets: tuple[Set, Set, Set]
    drawn: Callable[[Random], Set]
    world: Callable[[int, Set], Scenario]
    theory: Callable[[Scenario, Set], float]
    measure: Callable[[Seconds], float]
    tolerance: float


def _share(part: str) -> Callable[[Seconds], float]:
    return lambda seconds: sum(getattr(s, part) for s in seconds) / sum(s.offered for s in seconds)


def _wait(seconds: Seconds) -> float:
    """Little's law: the mean of those who wait, over how many a second are let in."""
    return fmean(s.queued for s in seconds) / fmean(s.admitted for s in seconds)


def _loss(n: int, s: Set) -> Scenario:
    slots, load, sigma = s
    return _world(n, load, {"slots": int(slots), "queue": {"limit": 0}, "answer": _answer(1.0, sigma)})


def _queue(n: int, s: Set) -> Scenario:
    slots, load, sigma = s
    provider = {"slots": int(slots), "queue": {"limit": 100_000}, "answer": _answer(SHORT * slots, sigma)}
    return _world(n, load / SHORT, provider)


def _engset(n: int, s: Set) -> Scenario:
    users, slots, think = s
    provider = {"slots": int(slots), "queue": {"limit": 0}, "answer": _answer(1.0, 0.6)}
    return _world(n, users / (think + 1.0), provider, count=int(users), think=think)


def _crowd_of(rng: Random) -> Set:
    slots, think = rng.randrange(5, 20), rng.uniform(2, 8)
    return int(slots * (think + 1) * rng.uniform(0.8, 1.5)), slots, think


def _retried(n: int, s: Set) -> Scenario:
    share, attempts = s
    policy = {"name": "fixed", "attempts": int(attempts), "wait": "1s", "timeout": "20h"}
    world = _world(n, 20.0, {"slots": 1000, "answer": _answer(0.5, 0.3)}, policy=policy)
    fault = {"http_error": 503, "share": share}
    words = world.model_dump(mode="json", exclude_unset=True)
    words["phases"][0]["faults"] = [fault]
    return Scenario.model_validate(words)


def _pollaczek(world: Scenario, s: Set) -> float:
    """M/G/1: Wq = lam E[S^2] / (2 (1 - rho))."""
    mean, square = _moments(world)
    rate = s[1] / SHORT
    return rate * square / (2 * (1 - rate * mean))


LAWS: dict[str, Law] = {
    "Erlang B, whatever the answers": Law(
        ((10, 8, 0.8), (23, 20, 0.3), (5, 7, 0.0)),
        lambda rng: ((slots := rng.randrange(3, 40)), slots * rng.uniform(0.7, 1.4), rng.uniform(0, 1)),
        _loss,
        lambda world, s: queueing.erlang_b(int(s[0]), s[1] * _moments(world)[0]),
        _share("refused"),
        0.025,
    ),
    "an overloaded provider works at its capacity": Law(
        ((10, 1.3, 0.8), (50, 1.6, 0.3), (3, 2.5, 0.0)),
        lambda rng: (rng.randrange(3, 60), rng.uniform(1.25, 3), rng.uniform(0, 1)),
        lambda n, s: _queue(n, s).model_copy(update={"providers": {"main": _bounded(_queue(n, s))}}),
        lambda world, s: 1 - SHORT * s[0] / (s[1] * _moments(world)[0]),
        _share("refused"),
        0.02,
    ),
    "M/D/c (Crommelin 1932)": Law(
        ((1, 0.7, 0.0), (5, 0.85, 0.0), (20, 0.85, 0.0)),
        lambda rng: (rng.randrange(1, 9), rng.uniform(0.8, 0.9), 0.0),
        _queue,
        lambda world, s: queueing.wait_deterministic(int(s[0]), s[1] / SHORT, _moments(world)[0]),
        _wait,
        0.06,
    ),
    "M/G/1 (Pollaczek and Khinchine)": Law(
        ((1, 0.5, 0.4), (1, 0.7, 0.7), (1, 0.8, 0.2)),
        lambda rng: (1, rng.uniform(0.4, 0.8), rng.uniform(0.1, 0.8)),
        _queue,
        _pollaczek,
        _wait,
        0.07,
    ),
    "Engset, whatever the answers": Law(
        ((12, 5, 2.0), (60, 20, 3.0), (200, 15, 10.0)),
        _crowd_of,
        _engset,
        lambda world, s: queueing.engset(int(s[0]), int(s[1]), _moments(world)[0] / s[2]),
        _share("refused"),
        0.025,
    ),
    "attempts = (1 - p^m) / (1 - p)": Law(
        ((0.1, 2), (0.5, 4), (0.9, 6)),
        lambda rng: (rng.uniform(0.05, 0.95), rng.randrange(2, 9)),
        _retried,
        lambda _, s: 20.0 * (1 - s[0] ** s[1]) / (1 - s[0]),
        lambda seconds: fmean(second.offered for second in seconds),
        0.02,
    ),
}


def _bounded(world: Scenario) -> Any:
    provider = world.providers["main"]
    return provider.model_copy(update={"queue": provider.queue.model_copy(update={"limit": 2 * provider.slots})})


def _measured(law: Law, world: Scenario, seed: int, engine: Engine) -> float:
    seconds: list[ServiceSecond] = []

    def keep(record: Record) -> None:
        if isinstance(record, ServiceSecond):
            seconds.append(record)

    run = start(engine, world, seed, keep, services_only=True)
    while run.play(run.now + 3600):
        pass
    end = world.phases[0].lasts
    return law.measure([second for second in seconds if 0.1 * end <= second.t < end])


def _off(name: str, parameters: Set, engine: Engine) -> str:
    """Empty when the law holds."""
    law = LAWS[name]
    world = law.world(PROMPTS[engine], parameters)
    samples = [_measured(law, world, seed, engine) for seed in SEEDS]
    theory, found, error = law.theory(world, parameters), fmean(samples), stdev(samples) / math.sqrt(len(samples))
    tolerance = law.tolerance * math.sqrt(PROMPTS["fast"] / PROMPTS[engine]) * theory
    half = t_quantile(0.975, len(samples) - 1) * error
    said = f"{found:.6g} ± {half:.2g} against {theory:.6g}, at most ± {tolerance:.2g}"
    return "" if half <= tolerance and abs(found - theory) <= FAR * error else said


SETS = [
    pytest.param(name, each, marks=[pytest.mark.nightly] if number else [])
    for name, law in LAWS.items()
    for number, each in enumerate(law.sets)
]


@pytest.mark.second
@pytest.mark.usefixtures("fast_is_compiled")
@pytest.mark.parametrize(("name", "parameters"), SETS)
def test_a_law_holds_on_the_fast_engine(name: str, parameters: Set) -> None:
    """At its first set of parameters; at night at the two others."""
    pytest.importorskip("numba")

    assert not _off(name, parameters, "fast")


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "parameters"), SETS)
def test_a_law_holds_on_the_reference(name: str, parameters: Set) -> None:
    """At the same."""
    assert not _off(name, parameters, "reference")


@pytest.mark.nightly
@pytest.mark.usefixtures("fast_is_compiled")
@pytest.mark.parametrize("name", LAWS)
def test_a_law_holds_at_the_parameters_of_the_day(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another set every day, on both engines."""
    pytest.importorskip("numba")
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    parameters = LAWS[name].drawn(Random(f"{day} {name}"))
    with capsys.disabled():
        print(f"\n{day}: {name} at {', '.join(f'{each:.4g}' for each in parameters)}", end="")  # noqa: T201

    assert not _off(name, parameters, "fast")
    assert not _off(name, parameters, "reference")
