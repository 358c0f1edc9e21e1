"""One process or two: the same users, the same verdict, the same measures. Several seeds of each; a few minutes."""

from collections.abc import Callable
from statistics import fmean, stdev

import pytest

from mockbot.evidence.verdict import judge
from tests.load.runs import Ran, rehearse

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

SEEDS = range(1, 6)
OUTAGE = """
name: outage
title: Half of the requests fail for a while
seed: SEED
speed: 8
providers: {main: {slots: 50, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}, pace: 40/s}}}
crowd:
  users: {users: 100%, policy: {name: fixed, attempts: 3, wait: 1s}, think: 3s, patience: 30s}
  visitors: {arrivals: 100%, policy: once, patience: 30s}
phases:
  - {name: steady, lasts: 40s, users: 30, arrivals: 3/s}
  - {name: failing, lasts: 40s, faults: [{http_error: 503, share: 50%}]}
expect:
  - {phase: steady, group: users, availability: ">= 95%"}
  - {phase: failing, group: visitors, availability: ">= 90%"}
"""

MEASURES: dict[str, Callable[[Ran], float]] = {
    "prompts": lambda ran: float(len(ran.prompts)),
    "answered": lambda ran: fmean(prompt.settled == "answered" for prompt in ran.prompts),
    "attempts per prompt": lambda ran: fmean(prompt.attempts for prompt in ran.prompts),
    "latency": lambda ran: fmean(p.end - p.intended for p in ran.prompts if p.settled == "answered"),
    "first token": lambda ran: fmean(p.first_token for p in ran.prompts if p.first_token is not None),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ran]]:
    """In turns, so that what else the machine does hits both."""
    found: dict[str, list[Ran]] = {"1": [], "2": []}
    for seed in SEEDS:
        for processes, ran in found.items():
            folder = tmp_path_factory.mktemp(f"processes-{processes}")
            ran.append(rehearse(folder, OUTAGE.replace("SEED", str(seed)), "--processes", processes))
    return found


def test_two_processes_come_to_the_same_verdict(runs: dict[str, list[Ran]]) -> None:
    """The expectation that holds holds in every run of both, and the one that fails fails in all of them."""
    results = {
        processes: {tuple(str(each.result) for each in judge(ran.evidence).expectations) for ran in of}
        for processes, of in runs.items()
    }

    assert results["1"] == results["2"]
    assert len(results["1"]) == 1


@pytest.mark.parametrize("measure", MEASURES)
def test_two_processes_see_the_same_measures(runs: dict[str, list[Ran]], measure: str) -> None:
    """The means over the seeds are not further apart than three standard deviations of one run among the seeds."""
    one, two = ([MEASURES[measure](ran) for ran in runs[processes]] for processes in ("1", "2"))

    assert abs(fmean(two) - fmean(one)) <= 3 * stdev(one)
