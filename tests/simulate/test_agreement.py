"""The engines are one model: what the fast engine says, the reference says too, within chance."""

import math
from typing import Any

import pytest

from mockbot.evidence.records import Prompt
from mockbot.runs.journal_files import to_line
from mockbot.scenario.schema import Scenario
from mockbot.simulate.engines import start
from mockbot.simulate.simulation import Memory
from tests.simulate.build import scenario

pytest.importorskip("numba")
pytestmark = [pytest.mark.second, pytest.mark.usefixtures("fast_is_compiled")]

TIGHT = {"slots": 4, "queue": {"limit": 12}}  # 10 users' worth of slots for 20
POLICIES: list[Any] = [
    "once",
    "backoff",
    "sdk",
    {"name": "fixed", "attempts": 4, "wait": "1s", "timeout": "5s"},
    {"name": "refresh", "every": "4s"},
]
FAULTS: list[Any] = [
    {"http_error": 503, "share": "50%"},
    {"rate_limited": {"retry_after": "7s"}},
    {"maintenance": True},
    {"crash": {"warm_up": "20s"}},
    {"capacity": "50% -> 0%"},
    {"slow": {"factor": 2, "first_token": "1s"}},
    {"down": True},
]


def _totals(engine: Any, world: Scenario, seeds: range) -> list[tuple[float, ...]]:
    """Prompts, answered, attempts, and seconds of waiting, of each seed."""
    rows: list[tuple[float, ...]] = []
    for seed in seeds:
        memory = Memory()
        run = start(engine, world, seed, memory.take)
        while run.play(run.now + 60):
            pass
        run.finish()
        prompts = [record for record in memory.requests if isinstance(record, Prompt)]
        answered = [prompt for prompt in prompts if prompt.settled == "answered"]
        waited = sum(prompt.end - prompt.intended for prompt in answered)
        rows.append((len(prompts), len(answered), sum(prompt.attempts for prompt in prompts), waited))
    return rows


def _z(ours: list[float], theirs: list[float]) -> float:
    """Welch's t: how many standard errors the means are apart."""
    stats = []
    for values in (ours, theirs):
        mean = sum(values) / len(values)
        stats.append((mean, sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)))
    (a, va), (b, vb) = stats
    return 0.0 if a == b else abs(a - b) / math.sqrt(max(va + vb, 1e-12))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: next(iter(fault)))
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy if isinstance(policy, str) else policy["name"])
def test_fast_and_reference_agree(policy: Any, fault: dict[str, Any]) -> None:
    """Prompts, answers, attempts and waits differ by less than 4.5 standard errors over 12 seeds each."""
    world = scenario([fault], provider=TIGHT, group={"policy": policy, "patience": "40s"})
    seeds = range(12)

    reference = _totals("reference", world, seeds)
    fast = _totals("fast", world, seeds)

    for ours, theirs in zip(zip(*reference, strict=True), zip(*fast, strict=True), strict=True):
        assert _z(list(ours), list(theirs)) < 4.5


def test_they_agree_on_who_leaves_when_a_rush_is_over() -> None:
    """Reloading users, of whom those who stay would be in step if the newest left: 60 come, and 60 leave again."""
    phases = [
        {"name": "calm", "lasts": "60s", "users": 20},
        {"name": "rush", "lasts": "20s", "users": "20 -> 80"},
        {"name": "ebb", "lasts": "60s", "users": "80 -> 20"},
        {"name": "after", "lasts": "60s"},
    ]
    world = scenario(provider=TIGHT, group={"policy": {"name": "refresh", "every": "4s"}}, phases=phases)
    reference, fast = (_totals(engine, world, range(12)) for engine in ("reference", "fast"))

    for ours, theirs in zip(zip(*reference, strict=True), zip(*fast, strict=True), strict=True):
        assert _z(list(ours), list(theirs)) < 4.5


def test_the_fast_engine_repeats_itself_to_the_byte() -> None:
    """The same seed gives the same journal."""
    runs = []
    for _ in range(2):
        memory = Memory()
        run = start("fast", scenario([{"http_error": 503, "share": "30%"}]), 7, memory.take)
        while run.play(run.now + 60):
            pass
        run.finish()
        runs.append(b"".join(map(to_line, [*memory.requests, *memory.seconds])))

    assert runs[0] == runs[1]
