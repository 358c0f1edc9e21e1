"""What the journals must hold as a whole: every id once, however many there are, in constant memory."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mockbot.evidence import integrity
from mockbot.evidence.integrity import Integrity
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from tests.evidence.build import attempt, evidence, prompt

LINES = [line for n in range(500) for line in (attempt(float(n)), prompt(float(n)))]


def problem(lines: Sequence[Attempt | Prompt | ServiceSecond]) -> str | None:
    whole = Integrity()
    for line in lines:
        whole.add(line)
    seconds = [line for line in lines if isinstance(line, ServiceSecond)]
    requests = [line for line in lines if not isinstance(line, ServiceSecond)]
    return whole.problem(evidence(requests, seconds, did=(), kept_up=()))


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter of 64 bits, in which after a few records every id is a suspect."""
    monkeypatch.setattr(integrity, "SIZE", 64)


@pytest.mark.usefixtures("crowded")
def test_suspects_by_chance_are_acquitted_by_the_second_pass() -> None:
    """A filter that is full accuses nobody who occurs once."""
    assert problem(LINES) is None


@pytest.mark.usefixtures("crowded")
def test_what_occurs_twice_is_found_among_suspects_by_chance() -> None:
    """Far apart, and with other contents."""
    assert problem([*LINES, prompt(450.0, 3.0)]) == "prompt p450 is on record twice"


def test_a_doubled_journal_is_told_by_one_of_its_records() -> None:
    """The same one for every order of the lines."""
    assert problem([*LINES, *LINES]) == problem([*reversed(LINES), *LINES]) != None  # noqa: E711 - a chain of three


def test_the_attempts_of_a_prompt_are_told_apart_by_their_number() -> None:
    """And an attempt from its prompt."""
    assert problem([attempt(1.0), attempt(1.0, n=1), prompt(1.0)]) is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (replace(prompt(1.0), group="ghost"), "prompt p1 is of ghost, which the scenario has not"),
        (ServiceSecond(5, "ghost"), "second 5 of provider ghost is of ghost, which the scenario has not"),
        (ServiceSecond(5000, "main"), "second 5000 of provider main is of second 5000, when there was no run"),
        (prompt(1.0, 1e7), "prompt p1 is of second 1e+07, when there was no run"),
        (prompt(-100.0, 1.0), "prompt p-100 is of second -100, when there was no run"),
    ],
)
def test_a_record_of_another_run_is_told(line: Prompt | ServiceSecond, says: str) -> None:
    """Of a group or provider that the scenario has not, or of a time when there was no run."""
    assert problem([*LINES[100:200], line]) == says
