"""Nothing that began is missing from the journal, and every latency counts from the intended moment."""

import pytest

from mockbot.clock import Clock
from mockbot.evidence.count_run import count_run
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import AttemptObservation, Collector, UserIdentity
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known
from tests.evidence.build import evidence, measured

WHO = UserIdentity("patient-1", "patient", "plus")


class _Hand(Clock):
    """A clock that is set by hand."""

    __slots__ = ()
    time = 0.0

    def now(self) -> float:
        return _Hand.time


def _collector() -> tuple[Collector, list[Attempt | Prompt]]:
    written: list[Attempt | Prompt] = []
    _Hand.time = 100.0
    return Collector(_Hand(0.0, 20.0), written.append), written


def test_an_answered_prompt_is_two_records() -> None:
    """The attempt as it was seen, and the prompt with its first token counted from when it should have been sent."""
    collector, written = _collector()
    prompt = collector.begin_prompt(WHO, intended=98.0)
    n = collector.begin_attempt(prompt, "main")
    _Hand.time = 103.0
    collector.end_attempt(prompt, n, AttemptObservation("ok", 100.0, 103.0, status=200, first_token=1.5, tokens=4))
    collector.settle(prompt, "answered")

    attempt, settled = written
    assert isinstance(attempt, Attempt)
    assert (attempt.prompt, attempt.n, attempt.outcome, attempt.first_token) == ("patient-1.1", 0, "ok", 1.5)
    assert isinstance(settled, Prompt)
    assert (settled.intended, settled.start, settled.end, settled.provider) == (98.0, 100.0, 103.0, "main")
    assert settled.first_token == 3.5
    assert collector.pending == {}


def test_what_is_pending_at_the_end_is_written_as_unfinished() -> None:
    """A hung attempt and its prompt are in the journal although nothing ever came back."""
    collector, written = _collector()
    prompt = collector.begin_prompt(WHO, intended=100.0)
    collector.begin_attempt(prompt, "main")
    _Hand.time = 160.0
    collector.abandon()

    attempt, settled = written
    assert isinstance(attempt, Attempt)
    assert (attempt.outcome, attempt.start, attempt.end) == ("unfinished", 100.0, 160.0)
    assert isinstance(settled, Prompt)
    assert (settled.settled, settled.attempts, settled.end) == ("unfinished", 1, 160.0)


def test_a_prompt_is_settled_once() -> None:
    """A user that is killed after the run was closed adds nothing."""
    collector, written = _collector()
    prompt = collector.begin_prompt(WHO, intended=100.0)
    collector.abandon()
    collector.settle(prompt, "answered")

    assert len(written) == 1


def test_lag_is_the_wall_time_by_which_a_prompt_was_late() -> None:
    """2 scenario seconds late at speed 20 are 0.1 s; each lag is told once."""
    collector, _ = _collector()
    collector.begin_prompt(WHO, intended=98.0)

    assert collector.take_lags() == [0.1]
    assert collector.take_lags() == []


def test_the_key_contains_the_tier() -> None:
    """`sk-<tier>-<user>`."""
    assert WHO.key == "sk-plus-patient-1"


@pytest.mark.parametrize("origin", [1.7e6, 1.7e6 + 0.3, 1.7e6 + 0.999])
def test_a_fractional_beginning_smears_no_edge(origin: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the clock shows at second 0: all is well up to 100 s, nothing until 200 s, all is well after it."""
    written: list[Attempt | Prompt] = []
    collector = Collector(Clock(origin), written.append)
    for tenth in range(4000):
        monkeypatch.setattr("mockbot.clock.monotonic", lambda tenth=tenth: origin + tenth / 10 + 0.05)
        prompt = collector.begin_prompt(WHO, collector.clock.now())
        collector.settle(prompt, "gave_up" if 1000 <= tenth < 2000 else "answered")
    counted = count_run(evidence(written))

    shares = [measured(counted, Scope(phase=phase))["answered"] for phase in ("steady", "blackout", "after")]
    assert shares == [Known(1.0), Known(0.0), Known(1.0)]
