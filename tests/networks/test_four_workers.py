"""Four workers on four machines, or one process: the same users, the same verdict, the same measures. Minutes."""

from collections.abc import Callable, Iterator
from statistics import fmean, stdev

import pytest

from mockbot.evidence.verdict import judge
from tests.load.compared import MEASURES, outage
from tests.load.runs import Ran, rehearse
from tests.networks.machines import machines, needs_machines
from tests.networks.runs import waiting_run

pytestmark = [needs_machines, pytest.mark.nightly, pytest.mark.timeout(380)]
SEEDS = range(1, 6)
Pair = Callable[[int], tuple[Ran, Ran]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A seed, played once by one process and once by four workers, one after the other. The wire has no delay."""
    done: dict[int, tuple[Ran, Ran]] = {}
    with machines(5, delay=0.0) as (master, *others):

        def pair(seed: int) -> tuple[Ran, Ran]:
            if seed not in done:
                text = outage(seed)
                one = rehearse(tmp_path_factory.mktemp("one"), text)
                with waiting_run(tmp_path_factory.mktemp("four"), master, text, 4, "--wait", "120s") as run:
                    for machine in others:
                        run.join(machine)
                    four = run.ran()
                    assert run.codes() == [0] * 4, run.said()
                done[seed] = one, four
            return done[seed]

        yield pair


@pytest.mark.parametrize("seed", SEEDS)
def test_four_workers_come_to_the_same_verdict(played: Pair, seed: int) -> None:
    """The expectation that holds holds in both, and the one that fails fails in both."""
    one, four = ([str(each.result) for each in judge(ran.evidence).expectations] for ran in played(seed))

    assert one == four == ["pass", "fail"]


@pytest.mark.parametrize("measure", MEASURES)
def test_four_workers_see_the_same_measures(played: Pair, measure: str) -> None:
    """The means over the seeds are not further apart than three standard deviations of one run among the seeds."""
    one, four = zip(*([MEASURES[measure](ran) for ran in played(seed)] for seed in SEEDS), strict=True)
    print(f"{measure}: one {fmean(one):.4g} (sd {stdev(one):.2g}), four {fmean(four):.4g}")  # noqa: T201 - for the log

    assert abs(fmean(four) - fmean(one)) <= 3 * stdev(one)
