"""A provider of four replicas live, and beside it simulated: each phase agrees, and so does who meets the bad host."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
import pytest

from mockbot.evidence.records import Attempt
from mockbot.simulate.simulation import Memory, simulate
from tests.e2e.conftest import SHORT, Run, put_up
from tests.e2e.test_twin import SEEDS, T, Twins, _mean_sd, differences, twins_of

pytestmark = [pytest.mark.second, pytest.mark.timeout(600)]

FLEET = """
name: fleet
title: One bad host of four, then a crash of another
speed: 10
seed: 11
providers:
  main:
    replicas: 4
    slots: 3
    queue: {limit: 10}
    answer: {first_token: 700ms, tokens: {median: 24, p95: 40}, pace: 10/s}
crowd:
  patient: {users: 60%, policy: backoff, think: 30s, patience: 60s}
  hasty: {users: 40%, policy: once, think: 30s, patience: 60s}
phases:
  - {name: steady, lasts: 2m, users: 60}
  - name: bad-host
    lasts: 5m
    faults: [{http_error: 500, replica: 2}]
  - {name: between, lasts: 1m}
  - name: crash
    lasts: 3m
    faults: [{crash: true, replica: 3}]
  - {name: after, lasts: 2m}
expect:
  - {phase: steady, availability: ">= 97%"}
  - {phase: bad-host, group: hasty, availability: "<= 90%"}
  - {phase: crash, availability: ">= 95%"}
"""
BAD = (140.0, 410.0)  # within the second phase


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Played once."""
    base = tmp_path_factory.mktemp("fleet")
    (base / "fleet.yaml").write_text(FLEET, "utf-8")
    with put_up(lambda number: base / f"run{number}") as begin:
        run = begin(base / "fleet.yaml")
        run.watch(within=300.0)
        assert run.finish() == 0, run.output()
        return run


@pytest.fixture(scope="module")
def twins(fleet: Run) -> Twins:
    """The live run and the simulated ones."""
    return twins_of(fleet.folder)


def test_the_run_is_conclusive_and_leaves_nothing(fleet: Run) -> None:
    """Every replica has ended with it."""
    assert fleet.summary()["verdict"] == "pass", fleet.output()
    assert fleet.left() == ([], [])


def test_every_phase_is_as_simulated(twins: Twins) -> None:
    """Goodput, attempts, attempts for each prompt and in the same time as it."""
    assert list(differences(twins)) == []


def _shares_of_errors(attempts: Iterable[Attempt]) -> tuple[float, float]:
    """Of all attempts at the bad host's time; and of the users who met it, how many met it each time."""
    users: dict[str, Counter[bool]] = defaultdict(Counter)
    for attempt in attempts:
        if BAD[0] <= attempt.start < BAD[1]:
            users[attempt.prompt.rpartition(".")[0]][attempt.outcome == "http_error"] += 1
    every = sum(users.values(), Counter[bool]())
    met = [each for each in users.values() if each[True]]
    return every[True] / every.total(), sum(not each[False] for each in met) / len(met)


def test_the_same_users_meet_the_bad_host_each_time(twins: Twins) -> None:
    """Live as simulated: a share of errors that depends on which users sit there, and nobody who sits between two."""
    live, always = _shares_of_errors(each for each in twins.evidence.requests() if isinstance(each, Attempt))
    shares = []
    for seed in range(SEEDS):
        memory, world = Memory(), twins.evidence.scenario
        simulate(world, seed=world.seed + seed, sink=memory.take)
        share, simulated_always = _shares_of_errors(each for each in memory.requests if isinstance(each, Attempt))
        assert simulated_always == 1.0
        shares.append(share)

    mean, sd = _mean_sd(shares)
    assert always >= 0.9  # live, a connection may end by itself
    assert abs(live - mean) <= max(0.1 * mean, T * sd)


def test_a_replica_that_is_killed_makes_the_run_inconclusive(start: Callable[..., Run], tmp_path: Path) -> None:
    """It is the testbed's failure, told by its name, and no outage of the provider."""
    (tmp_path / "short.yaml").write_text(
        SHORT.replace("main: {", "main: {replicas: 2, ").replace("FAULT", "down: true")
    )
    run = start(tmp_path / "short.yaml")
    run.watch(run.load_has_begun)
    replicas = [each for each in run.descendants if "mockbot.service.replica" in _command(each)]
    assert len(replicas) == 2

    replicas[0].kill()

    assert run.finish() == 3, run.output()
    assert re.search(r"the process of replica [12] of main ended or was killed", " ".join(run.output().split()))
    assert run.left()[0] == []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return []
