"""Each finding from a journal that shows it, and none from one that does not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mockbot.evidence.records import Outcome
from mockbot.evidence.system_findings import EARLY_ENDS, FINDINGS, Setting, findings
from mockbot.faults.base import SYSTEM
from mockbot.faults.down import Down
from mockbot.faults.http_error import HttpError
from mockbot.faults.restart import Restart
from mockbot.scenario.spans import FaultSpan
from tests.evidence.system_build import Journal, ask, piece

DEAD = ask(outcome="http_error", status=503, took=0.1)
HUNG = ask(outcome="timeout", took=10.0)
OUTAGE = FaultSpan(
    "blackout.0.http_error", HttpError.model_validate({"http_error": 503}), "main", "blackout", 60.0, 120.0
)
ON_SYSTEM = FaultSpan("gone.0.down", Down.model_validate({"down": True}), SYSTEM, "gone", 60.0, 120.0)
SETTING = Setting((OUTAGE,), 240.0)


def _found(journal: Journal, setting: Setting = SETTING) -> dict[str, int]:
    """The findings that there are, and how often."""
    return {each.name: each.times for each in findings(journal.joined(), setting) if each.times}


def _careful() -> Journal:
    """60 s calm, 60 s of main's outage, 120 s after; it fails over after one try, and soon asks other first."""
    journal = Journal()
    for second in range(240):
        if not 60 <= second < 120:
            journal.asked(float(second), ask())
        elif second < 65 or second % 10 == 0:
            journal.asked(float(second), DEAD, ask("other"))
        else:
            journal.asked(float(second), ask("other"))
    return journal


def test_the_careful_system_is_accused_of_nothing() -> None:
    """It fails over, stops asking what is dead, probes it, and returns."""
    assert _found(_careful()) == {}


def test_every_finding_is_reported_even_when_it_did_not_occur() -> None:
    """With the number of chances that it had."""
    made = {each.name: each for each in findings(_careful().joined(), SETTING)}

    assert list(made) == list(FINDINGS)
    assert made["launders_truncation"].of == 240


def _launders(journal: Journal) -> None:
    for at in range(3):
        name = journal.asked(at, ask(outcome="truncated"), pieces=[])
        journal.answers[-1] = replace(journal.answers[-1], pieces=(piece(name, words=3),), words=3)


def _apologises_with_200(journal: Journal) -> None:
    journal.asked(0.0, DEAD, DEAD, text="Something went wrong.", pieces=[])


def _multiplies(journal: Journal) -> None:
    journal.asked(0.0, *[DEAD] * 9, outcome="http_error", status=502)


def _comes_back_early(journal: Journal) -> None:
    journal.asked(0.0, ask(outcome="rate_limited", status=429, retry_after=5.0), ask(after=1.0))


def _hammers(journal: Journal) -> None:
    for second in range(60, 120):
        journal.asked(float(second), DEAD, DEAD, DEAD, ask("other"))


def _stays_away(journal: Journal) -> None:
    for second in range(60):
        journal.asked(float(second), ask())
    for second in range(60, 240):
        journal.asked(float(second), ask("other"))


def _splices(journal: Journal) -> None:
    name = journal.asked(0.0, ask(outcome="reset"), ask("other"), pieces=[])
    journal.answers[-1] = replace(journal.answers[-1], pieces=(piece(name, words=4), piece(name, "other")), words=24)


def _crosses(journal: Journal) -> None:
    journal.asked(1.0, pieces=[piece(journal.asked(0.0, ask(), user="ann"))], user="bob")


def _hangs(journal: Journal) -> None:
    for at in range(3):
        journal.asked(at, ask(outcome="timeout", took=60.0), outcome="timeout", status=None, gives_up_after=10.0)


def _blocks(journal: Journal) -> None:
    for second in range(40, 50):
        journal.asked(float(second), ask("other"))
    for _ in range(4):
        journal.asked(61.0, HUNG, outcome="http_error", status=504)
    for second in range(62, 70):
        journal.asked(float(second), ask("other", after=71.5 - second))


def _dies(journal: Journal) -> None:
    journal.asked(0.0, outcome="refused", status=None)


@pytest.mark.parametrize(
    ("name", "does", "times"),
    [
        ("launders_truncation", _launders, 3),
        ("launders_errors", _apologises_with_200, 1),
        ("retry_multiplication", _multiplies, 1),
        ("ignores_retry_after", _comes_back_early, 1),
        ("hammers_dead_provider", _hammers, 1),
        ("never_fails_back", _stays_away, 1),
        ("splices_answers", _splices, 1),
        ("crosses_answers", _crosses, 1),
        ("hangs_past_client_timeout", _hangs, 3),
        ("no_concurrency_left", _blocks, 8),
        ("single_point_of_failure", _dies, 1),
    ],
)
def test_each_finding_is_found_where_it_is(name: str, does: Callable[[Journal], None], times: int) -> None:
    """And nothing else is found there."""
    journal = Journal()
    does(journal)

    assert _found(journal) == {name: times}


def test_a_finding_names_its_evidence_and_the_way_out() -> None:
    """Prompt, provider and figures; three occurrences at most."""
    journal, other = Journal(), Journal()
    _hammers(journal)
    _multiplies(other)

    made = {each.name: each for each in findings(journal.joined(), SETTING)}
    [multiplied] = [each for each in findings(other.joined(), SETTING) if each.times]

    assert multiplied.evidence == ("p0: 9 requests to main in 800ms",)
    assert made["hammers_dead_provider"].evidence == (
        "main failed for 59.1s, and 49 of the 49 later prompts asked it first",
    )
    assert all(each.advice.endswith(".") for each in made.values())


# -- what must not be accused ----------------------------------------------------------------------------------------


def _waits_as_told(journal: Journal) -> None:
    journal.asked(0.0, ask(outcome="rate_limited", status=429, retry_after=5.0), ask(after=5.0))


def _asks_another_at_once(journal: Journal) -> None:
    journal.asked(0.0, ask(outcome="rate_limited", status=429, retry_after=5.0), ask("other"))


def _has_one_provider_only(journal: Journal) -> None:
    for second in range(60, 120):
        journal.asked(float(second), DEAD, DEAD, DEAD, outcome="http_error", status=502)


def _was_cut_and_says_so(journal: Journal) -> None:
    name = journal.asked(0.0, ask(outcome="truncated"), outcome="reset", pieces=[])
    journal.answers[-1] = replace(journal.answers[-1], pieces=(piece(name, words=3),), words=3)


def _apologises_as_agreed(journal: Journal) -> None:
    journal.asked(0.0, DEAD, text="Temporarily unavailable.", pieces=[], degraded=True)


def _user_is_impatient(journal: Journal) -> None:
    journal.asked(0.0, DEAD, DEAD, ask("other", took=3.0), outcome="timeout", status=None, gives_up_after=1.0)


@pytest.mark.parametrize(
    "does",
    [
        _waits_as_told,
        _asks_another_at_once,
        _has_one_provider_only,
        _was_cut_and_says_so,
        _apologises_as_agreed,
        _user_is_impatient,
    ],
)
def test_what_looks_like_it_and_is_none_is_not_accused(does: Callable[[Journal], None]) -> None:
    """The provider did it, or the system did what it should."""
    journal = Journal()
    does(journal)

    assert _found(journal) == {}


def test_a_staged_fault_on_the_system_is_not_its_own() -> None:
    """Refusals and exits while it is staged."""
    journal = Journal()
    journal.asked(61.0, outcome="refused", status=None)

    assert _found(journal, Setting((ON_SYSTEM,), 240.0, exits=[(70.0, 137)])) == {}
    assert _found(Journal(), Setting((), 240.0, exits=[(70.0, 1)])) == {"single_point_of_failure": 1}


def test_a_system_may_take_its_time_to_come_back_from_a_restart() -> None:
    """Connections that it refuses until it has answered again belong to the restart; those after that are its own."""
    span = FaultSpan("p.0.restart", Restart.model_validate({"restart": "kill"}), SYSTEM, "p", 10.0, 15.0)
    journal = Journal()
    for at in (11.0, 17.0, 30.0):
        journal.asked(at, outcome="refused", status=None)
    journal.asked(20.0, ask())

    found = {each.name: each for each in findings(journal.joined(), Setting(faults=[span]))}

    assert found["single_point_of_failure"].evidence == ("it refused 1 connection, the first at 0:30.0",)


@pytest.mark.parametrize(("outcome", "says"), sorted(EARLY_ENDS.items()))
def test_a_laundered_answer_says_how_its_provider_had_ended_it(outcome: Outcome, says: str) -> None:
    """Gateways differ by the three kinds of an early end."""
    journal = Journal()
    name = journal.asked(0.0, replace(ask(outcome=outcome), first_token=0.1), pieces=[piece("p0", words=4)])

    found = next(each for each in findings(journal.joined(), Setting()) if each.name == "launders_truncation")

    assert found.evidence == (f"{name}: 4 of 20 words of main, {says}, said to be all",)
