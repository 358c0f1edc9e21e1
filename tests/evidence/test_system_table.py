"""*Users saw | providers saw*, phase by phase, from a journal that can be counted by hand."""

from math import inf

import pytest

from mockbot.evidence.system_measures import Ratio
from mockbot.evidence.system_table import ProviderRow, answers_over_time, phase_rows, requests_over_time
from mockbot.scenario.spans import PhaseSpan
from tests.evidence.system_build import Journal, ask

DEAD = ask(outcome="http_error", status=503, took=0.1)
PHASES = (PhaseSpan("calm", 0.0, 10.0), PhaseSpan("blackout", 10.0, 20.0), PhaseSpan("after", 20.0, 30.0))


def _journal() -> Journal:
    journal = Journal()
    for at in (0.0, 1.0):
        journal.asked(at, ask())
    journal.asked(10.0, DEAD, DEAD, ask("other"))
    journal.asked(11.0, DEAD, ask("other"))
    journal.asked(12.0, DEAD, ask("other", "truncated"), outcome="http_error", status=502)
    journal.asked(20.0, ask("other"))
    return journal


def test_each_phase_has_both_sides() -> None:
    """Two of three prompts of the blackout were saved, at 2.33 requests each."""
    calm, blackout, after = phase_rows(_journal().joined(), PHASES, ["main", "other"])

    assert (calm.prompts, calm.kinds, calm.providers["other"]) == (2, {"whole": 2}, ProviderRow(0, 0, {}))
    assert (blackout.kinds, blackout.answered_by) == ({"whole": 2, "refused": 1}, {"other": 2})
    assert (blackout.per_prompt, blackout.detours, blackout.saved) == (Ratio(7, 3), {2: 2, 3: 1}, Ratio(2, 3))
    assert blackout.providers == {
        "main": ProviderRow(4, 0, {"503": 4}),
        "other": ProviderRow(3, 2, {"truncated": 1}),
    }
    assert after.answered_by == {"other": 1}


def test_what_was_not_answered_improves_no_percentile() -> None:
    """As in every other table: of three prompts of the blackout one never had its whole answer."""
    _, blackout, _ = phase_rows(_journal().joined(), PHASES, ["main", "other"])

    assert blackout.p50 == pytest.approx(0.7)
    assert blackout.p95 == inf


def test_who_answered_whom_on_one_clock() -> None:
    """By the end of each prompt."""
    over_time = answers_over_time(_journal().joined(), 10.0, 30.0)

    assert over_time == {"main": [2, 0, 0, 0], "other": [0, 2, 1, 0], "nobody": [0, 1, 0, 0]}


def test_what_ends_after_the_end_is_no_peak_at_the_end() -> None:
    """The answers of "after" come behind an end at 15 s; in the last bin they would be a burst."""
    joined = _journal().joined()

    assert answers_over_time(joined, 10.0, 15.0) == {"main": [2, 0], "other": [0, 2], "nobody": [0, 1]}
    assert requests_over_time(joined, 1.0, 3.0) == {"main ok": [1, 1, 0, 0]}


def test_a_phase_without_prompts_has_a_row_without_figures() -> None:
    """Not 0 s, not 100 %."""
    [calm] = phase_rows(Journal().joined(), PHASES[:1], ["main"])

    assert (calm.prompts, calm.p50, calm.per_prompt.value) == (0, None, None)
