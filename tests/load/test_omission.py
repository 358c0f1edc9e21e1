"""Coordinated omission: a client that waits for a stalled server asks least when it is worst; latency counts from the
intended start."""

import pytest

from mockbot.clock import Clock
from mockbot.evidence.records import Prompt
from mockbot.load.collector import Collector, UserIdentity
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.load.conftest import Inside
from tests.load.fault_server import FaultServer

SURGE = """
name: surge
title: Visitors
seed: 3
providers: {main: {}}
crowd:
  visitors: {arrivals: 80%, policy: once}
  others: {arrivals: 20%, policy: once}
phases:
  - {name: few, lasts: 1000s, arrivals: 5/s}
  - {name: ramp, lasts: 1000s, arrivals: 5/s -> 15/s}
  - {name: none, lasts: 10s, arrivals: 0/s}
"""


class _Hand(Clock):
    """A clock that is set by hand."""

    __slots__ = ()
    time = 0.0

    def now(self) -> float:
        return _Hand.time


def _quantile(values: list[float], q: float) -> float:
    return sorted(values)[int(q * len(values))]


def test_a_stall_counts_for_every_prompt_that_was_due() -> None:
    """100 prompts/s; answers take 1 ms for 100 s and then nothing comes for 100 s: mean 25 s, p75 50 s, p99 98 s.

    UserIdentity waits for each answer before he asks again, and counts from when he asked, says 11 ms, 1 ms and 1 ms.
    """
    prompts: list[Prompt] = []
    collector = Collector(_Hand(0.0), lambda record: prompts.append(record) if isinstance(record, Prompt) else None)
    who = UserIdentity("visitor-1", "visitors", "free")

    for number in range(20_000):
        intended = number / 100
        _Hand.time = max(intended, _Hand.time)
        prompt = collector.begin_prompt(who, intended)
        _Hand.time = intended + 0.001 if intended < 100 else max(_Hand.time, 200.0)
        collector.settle(prompt, "answered")
    latencies = [prompt.end - prompt.intended for prompt in prompts]
    naive = [prompt.end - prompt.start for prompt in prompts if prompt.start < 200]  # the rest is never sent: omitted

    assert len(naive) == 10_001
    assert sum(latencies) / len(latencies) == pytest.approx(25.0, rel=0.01)
    assert _quantile(latencies, 0.75) == pytest.approx(50.0, rel=0.01)
    assert _quantile(latencies, 0.99) == pytest.approx(98.0, rel=0.01)
    assert sum(naive) / len(naive) == pytest.approx(0.011, rel=0.01)  # (10,000 x 1 ms + 100 s) / 10,001
    assert _quantile(naive, 0.75) == pytest.approx(0.001, rel=0.01)
    assert _quantile(naive, 0.99) == pytest.approx(0.001, rel=0.01)


def test_a_schedule_has_the_rate_of_the_timeline() -> None:
    """80 % of 5/s for 1000 s, then of 5/s to 15/s: 4000 and 8000 arrivals within 4 standard deviations, none at 0/s."""
    timeline = Timeline(read_scenario(SURGE))
    times = list(arrivals(timeline, "visitors", seed=3))

    assert times == sorted(times)
    assert sum(t < 1000 for t in times) == pytest.approx(4000, abs=4 * 4000**0.5)
    assert sum(1000 <= t < 2000 for t in times) == pytest.approx(8000, abs=4 * 8000**0.5)
    assert sum(1000 <= t < 1500 for t in times) == pytest.approx(3000, abs=4 * 3000**0.5)
    assert max(times) < 2000


def test_a_schedule_is_fixed_by_its_seed() -> None:
    """The same seed, the same moments; another seed or another group, other moments."""
    timeline = Timeline(read_scenario(SURGE))
    first = list(arrivals(timeline, "visitors", seed=3))

    assert first == list(arrivals(timeline, "visitors", seed=3))
    assert first != list(arrivals(timeline, "visitors", seed=4))
    assert first[:10] != list(arrivals(timeline, "others", seed=3))[:10]


@pytest.mark.second
def test_a_stall_shows_in_the_latencies(inside: Inside, faults: FaultServer) -> None:
    """3 s of every 10 nothing answers: a fifth of the visitors wait more than 1 s; stock Locust does not see it."""
    latencies: dict[str, list[float]] = inside("stalling", faults.url)

    assert len(latencies["ours"]) == pytest.approx(500, abs=4 * 500**0.5)
    assert _quantile(latencies["ours"], 0.95) >= 2.0
    assert _quantile(latencies["stock"], 0.90) < _quantile(latencies["ours"], 0.90) / 10
