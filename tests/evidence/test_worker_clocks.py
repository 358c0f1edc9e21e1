"""When the clocks of workers on other machines make a run inconclusive, by numbers that one can check by hand."""

import pytest

from mockbot.evidence.records import ClockReading, WorkerClock
from mockbot.evidence.verdict import judge
from mockbot.evidence.worker_clocks import clock_problem, clocks_in_words
from tests.evidence.build import FELT, evidence, sound_run
from tests.evidence.test_validity_checks import broken


def clock(used: tuple[float, float] | None, last: tuple[float, float] | None) -> WorkerClock:
    """Each: offset, and by how much it may be wrong."""
    first = None if used is None else ClockReading(*used)
    return WorkerClock("worker-1", first, None if last is None else ClockReading(*last))


@pytest.mark.parametrize(
    ("used", "last", "says"),
    [
        ((1000.0, 0.002), (1000.001, 0.002), None),
        ((1000.0, 0.002), None, None),  # lost: the check `ended` says so
        ((-3600.0, 0.049), (-3600.0, 0.049), None),
        ((0.0, 0.01), (0.069, 0.01), None),  # 49 ms are certain
        ((0.0, 0.01), (0.071, 0.01), "drifted 0.071 s from the master's during the run, give or take 0.02 s"),
        ((0.0, 0.001), (-0.06, 0.001), "drifted 0.06 s"),
        ((0.0, 0.051), (0.0, 0.001), "is known only to 0.051 s"),
        (None, (0.0, 0.001), "was not measured before the load began"),
    ],
)
def test_a_clock_that_cannot_be_trusted_is_said(
    used: tuple[float, float] | None, last: tuple[float, float] | None, says: str | None
) -> None:
    """An offset of any size is corrected; what is not known to 50 ms, or moves by more, is not."""
    problem = clock_problem([clock((0.0, 0.0), (0.0, 0.0)), clock(used, last)])

    assert (problem is None) == (says is None)
    assert says is None or says in "; ".join(problem or ())
    assert problem is None or "worker-1" in problem.found


def test_a_drift_makes_the_verdict_inconclusive() -> None:
    """With the clock's name and what to do."""
    judgement = judge(evidence(sound_run(), FELT, clocks=(clock((5.0, 0.001), (5.5, 0.001)),)))

    assert judgement.verdict == "inconclusive"
    assert broken(judgement) == ["clocks"]
    assert "the clock of worker-1 drifted 0.5 s" in judgement.reasons[0]


def test_clocks_that_agree_are_told_as_they_are_known() -> None:
    """The worst of each figure, and no check where no worker came from elsewhere."""
    clocks = (clock((5.0, 0.001), (5.002, 0.001)), clock((-7.0, 0.004), (-7.0, 0.003)))
    judged = judge(evidence(sound_run(), FELT, clocks=clocks))

    assert judged.verdict == "pass"
    assert "known to 0.004 s, and drifted 0.002 s at most" in clocks_in_words(clocks)
    assert [each.says for each in judged.checks if each.name == "clocks"] == [clocks_in_words(clocks)]
    assert "clocks" not in {each.name for each in judge(evidence(sound_run(), FELT)).checks}
