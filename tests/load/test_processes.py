"""One process or two: the same users, the same verdict, the same measures. Several seeds of each; a few minutes."""

from statistics import fmean, stdev

import pytest

from mockbot.evidence.verdict import judge
from tests.load.compared import MEASURES, outage
from tests.load.runs import Ran, rehearse

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

SEEDS = range(1, 6)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ran]]:
    """In turns, so that what else the machine does hits both."""
    found: dict[str, list[Ran]] = {"1": [], "2": []}
    for seed in SEEDS:
        for processes, ran in found.items():
            folder = tmp_path_factory.mktemp(f"processes-{processes}")
            ran.append(rehearse(folder, outage(seed), "--processes", processes))
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
