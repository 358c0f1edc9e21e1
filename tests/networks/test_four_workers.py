"""Four workers on four machines, or one process: the same users, the same verdict, the same measures. Minutes."""

from collections.abc import Iterator
from statistics import fmean, stdev

import pytest

from mockbot.evidence.verdict import judge
from tests.load.runs import Ran, rehearse
from tests.load.test_processes import MEASURES
from tests.networks.machines import machines, needs_machines
from tests.networks.runs import OUTAGE, waiting_run

pytestmark = [needs_machines, pytest.mark.nightly, pytest.mark.timeout(1200)]
SEEDS = range(1, 6)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Ran], list[Ran]]]:
    """One process, and four workers; in turns, so that what else the machine does hits both. The wire has no delay."""
    one: list[Ran] = []
    four: list[Ran] = []
    with machines(5, delay=0.0) as (master, *others):
        for seed in SEEDS:
            text = OUTAGE.replace("SEED", str(seed))
            one.append(rehearse(tmp_path_factory.mktemp("one"), text))
            with waiting_run(tmp_path_factory.mktemp("four"), master, text, 4, "--wait", "120s") as run:
                for machine in others:
                    run.join(machine)
                four.append(run.ran())
                assert run.codes() == [0] * 4
        yield one, four


def test_four_workers_come_to_the_same_verdict(runs: tuple[list[Ran], list[Ran]]) -> None:
    """The expectation that holds holds in every run of both, and the one that fails fails in all of them."""
    one, four = ({tuple(str(each.result) for each in judge(ran.evidence).expectations) for ran in of} for of in runs)

    assert one == four == {("pass", "fail")}


@pytest.mark.parametrize("measure", MEASURES)
def test_four_workers_see_the_same_measures(runs: tuple[list[Ran], list[Ran]], measure: str) -> None:
    """The means over the seeds are not further apart than three standard deviations of one run among the seeds."""
    one, four = ([MEASURES[measure](ran) for ran in of] for of in runs)
    print(f"{measure}: one {fmean(one):.4g} (sd {stdev(one):.2g}), four {fmean(four):.4g}")  # noqa: T201 - for the log

    assert abs(fmean(four) - fmean(one)) <= 3 * stdev(one)
