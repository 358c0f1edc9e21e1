"""When users arrive, and how many prompts they send: bursts and sessions of open groups, from the seed alone."""

from collections import Counter
from itertools import pairwise
from statistics import fmean, variance

import pytest

from mockbot.errors import UsageError
from mockbot.evidence.records import Prompt
from mockbot.scenario.arrivals import arrivals, loop_of
from mockbot.scenario.load import read_scenario
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.engines import choose
from mockbot.simulate.simulation import Memory, simulate

LASTS = 1000


def _open(group: str, rate: str = "50/s") -> Scenario:
    return read_scenario(
        f"""
name: open
title: Visitors
seed: 7
providers: {{main: {{slots: 1000, queue: {{limit: 1000}}}}}}
crowd: {{visitors: {{arrivals: 100%, policy: once, think: 2s, {group}}}}}
phases: [{{name: all, lasts: {LASTS}s, arrivals: {rate}}}]
"""
    )


def _schedule(scenario: Scenario, seed: int = 7) -> list[float]:
    return list(arrivals(Timeline(scenario), "visitors", seed))


@pytest.mark.parametrize("burst", [1, 8])
def test_bursts_keep_the_rate_and_spread_the_counts(burst: int) -> None:
    """A batch Poisson process with geometric batches: counts have mean 50 a second and variance (2b - 1) times that."""
    times = _schedule(_open(f"burst: {burst}"))
    seconds = Counter(int(t) for t in times)
    counts = [seconds[second] for second in range(LASTS)]

    assert times == sorted(times)
    assert fmean(counts) == pytest.approx(50, abs=4 * (50 * (2 * burst - 1) / LASTS) ** 0.5)
    assert variance(counts) / fmean(counts) == pytest.approx(2 * burst - 1, rel=0.25)


def test_a_burst_comes_at_one_moment() -> None:
    """Batches have their mean size, and without bursts nobody comes together."""
    together = Counter(_schedule(_open("burst: 8"))).values()

    assert fmean(together) == pytest.approx(8, abs=4 * (8 * 7 / len(together)) ** 0.5)
    assert set(Counter(_schedule(_open("burst: 1"))).values()) == {1}


def test_bursts_are_fixed_by_the_seed() -> None:
    """The same seed, the same moments; another seed, others."""
    scenario = _open("burst: 8")

    assert _schedule(scenario) == _schedule(scenario)
    assert _schedule(scenario) != _schedule(scenario, seed=8)


def test_bursts_ramp_with_the_rate() -> None:
    """From 0/s to 50/s: a quarter of everybody comes in the first half."""
    times = _schedule(_open("burst: 8", "0/s -> 50/s"))
    share = sum(t < LASTS / 2 for t in times) / len(times)

    assert share == pytest.approx(0.25, abs=0.05)


def test_a_session_has_several_prompts_with_thinking_between() -> None:
    """Three on average, the next one a while after the last was settled; who comes when does not change."""
    scenario, memory = _open("session: 3", "1/s"), Memory()
    simulate(scenario, seed=7, sink=memory.take, engine="reference")
    sessions: dict[str, list[Prompt]] = {}
    for record in memory.requests:
        if isinstance(record, Prompt):
            sessions.setdefault(record.user, []).append(record)
    whole = [prompts for prompts in sessions.values() if prompts[0].intended < LASTS - 100]
    pauses = [later.intended - earlier.end for p in whole for earlier, later in pairwise(p)]

    assert fmean(map(len, whole)) == pytest.approx(3, abs=4 * (3 * 2 / len(whole)) ** 0.5)
    assert fmean(pauses) == pytest.approx(2, rel=0.15)
    assert sorted(p[0].intended for p in sessions.values()) == [round(t, 4) for t in _schedule(scenario)]


@pytest.mark.parametrize(("group", "loop"), [("burst: 8", "open"), ("session: 3", "partly open")])
def test_the_report_says_which_loop_it_is(group: str, loop: str) -> None:
    """Sessions that arrive openly are partly open (Schroeder, Wierman & Harchol-Balter 2006)."""
    assert loop_of(_open(group)) == loop


@pytest.mark.parametrize("key", ["burst", "session"])
def test_the_fast_engine_names_what_it_cannot_play(key: str) -> None:
    """It refuses bursts and sessions by their name, and `auto` takes the reference."""
    pytest.importorskip("numba")
    scenario = _open(f"{key}: 3")

    with pytest.raises(UsageError, match=f"group visitors: {key}"):
        choose("fast", scenario)
    assert choose("auto", scenario) == "reference"
