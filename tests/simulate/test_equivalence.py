"""The engines are one model: of every combination that both play, the fast engine's difference is shown to be small."""

from collections.abc import Sequence
from random import Random

import pytest

from mockbot.runs.journal_files import to_line
from mockbot.simulate.engines import start
from mockbot.simulate.simulation import Memory
from tests.simulate.build import scenario
from tests.simulate.equivalence import Lived, Row, combinations, differences, table, unequal

# Cheap ones: few seeds are enough. All are played at night.
SAMPLE = ("maintenance/sdk", "crash/backoff")


def _table(names: Sequence[str], capsys: pytest.CaptureFixture[str]) -> list[Row]:
    rows = []
    for row in table(names):
        rows.append(row)
        with capsys.disabled():
            print(f"\n{row}", end="")  # noqa: T201 - the table is a result, too
    return rows


@pytest.mark.second
@pytest.mark.usefixtures("fast_is_compiled")
def test_a_sample_of_combinations_is_equivalent(capsys: pytest.CaptureFixture[str]) -> None:
    """Good share, attempts, waits, work and down-time within 3 %, which is refuted to be more, all at once."""
    pytest.importorskip("numba")

    assert unequal(_table(SAMPLE, capsys)) == []


@pytest.mark.nightly
@pytest.mark.timeout(3 * 3600)
@pytest.mark.usefixtures("fast_is_compiled")
def test_every_combination_is_equivalent(capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault with every policy, and what else has rules of its own in an engine."""
    pytest.importorskip("numba")

    assert unequal(_table(list(combinations()), capsys)) == []


def _runs(mean: float, seed: int, count: int = 100, stuck: float = 0.0) -> list[Lived]:
    rng = Random(seed)
    return [Lived(tuple(mean * rng.gauss(1, 0.05) for _ in range(5)), rng.random() < stuck) for _ in range(count)]


@pytest.mark.parametrize(("mean", "refuted"), [(1.0, True), (0.99, True), (0.955, False), (1.045, False)])
def test_a_difference_beyond_the_margin_is_never_called_small(mean: float, refuted: bool) -> None:
    """A hundred runs of a deviation of 5 %: 1 % is equivalent, 4.5 % is not, either way."""
    found = differences(_runs(1.0, 1), _runs(mean, 2))

    assert (unequal([Row("some", 1.0, 100, found)]) == []) is refuted


def test_few_runs_prove_nothing() -> None:
    """The same means over eight runs: what is not known to be small is not equivalent."""
    found = differences(_runs(1.0, 1, 8), _runs(1.0, 2, 8))

    assert len(unequal([Row("some", 1.0, 8, found)])) == 5


@pytest.mark.parametrize(("stuck", "refuted"), [(0.3, True), (0.4, False)])
def test_runs_that_may_stick_are_compared_by_how_many_do(stuck: float, refuted: bool) -> None:
    """1,600 of 30 % against 30 or 40 %; no mean of both kinds is told."""
    found = differences(_runs(1.0, 1, 1600, 0.3), _runs(0.5, 2, 1600, stuck))

    assert [each.what for each in found] == ["stuck"]
    assert (unequal([Row("some", 1.0, 1600, found)]) == []) is refuted


def test_many_comparisons_need_more_evidence_each() -> None:
    """A difference that is just refuted alone, at p = 0.003, is not beside 59 others (Holm 1979)."""
    just = differences(_runs(1.0, 1, 40), _runs(1.0, 2, 40))[1:2]
    alone, beside = (unequal([Row("some", 1.0, 40, just * count)]) for count in (1, 60))

    assert just[0].p == pytest.approx(0.003, abs=0.001)
    assert alone == []
    assert len(beside) == 60


@pytest.mark.second
@pytest.mark.usefixtures("fast_is_compiled")
def test_the_fast_engine_repeats_itself_to_the_byte() -> None:
    """The same seed gives the same journal."""
    pytest.importorskip("numba")
    runs = []
    for _ in range(2):
        memory = Memory()
        run = start("fast", scenario([{"http_error": 503, "share": "30%"}]), 7, memory.take)
        while run.play(run.now + 60):
            pass
        run.finish()
        runs.append(b"".join(map(to_line, [*memory.requests, *memory.seconds])))

    assert runs[0] == runs[1]
