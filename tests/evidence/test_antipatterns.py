"""Each anti-pattern has a client that shows it and one that nearly does; both are attempts alone."""

import pytest

from mockbot.evidence.antipatterns import ANTIPATTERNS, antipatterns
from mockbot.evidence.records import Attempt, Outcome


def asked(
    *waits: float,
    outcome: Outcome = "http_error",
    status: int | None = 503,
    told: float | None = None,
    last: Outcome | None = "ok",
    prompt: str = "p",
) -> list[Attempt]:
    """One prompt: an attempt of a second, then one after each wait; the last one is answered."""
    attempts, start = [], 0.0
    for n, wait in enumerate((0.0, *waits)):
        start += wait + (1.0 if n else 0.0)
        attempts.append(Attempt(prompt, n, "command", "main", start, start + 1, outcome, status, retry_after=told))
    if last is not None:
        final = attempts[-1]
        attempts[-1] = Attempt(prompt, final.n, "command", "main", final.start, final.end, last, 200)
    return attempts


def found(*attempts: Attempt, speed: float = 1.0) -> set[str]:
    return {habit.name for habit in antipatterns(attempts, speed) if habit.times}


BAD = [
    ("ignores_retry_after", asked(0.5, told=10)),
    ("retries_what_cannot_succeed", asked(3, status=401)),
    ("retries_without_end", asked(*range(1, 12))),
    ("does_not_back_off", asked(0.01, 0.01)),
    ("does_not_back_off", asked(1, 1.01, 1, 1)),
    ("takes_broken_answers", asked(last="truncated")),
    ("hangs", [Attempt("p", 0, "command", "main", 0, 61, "timeout")]),
    ("never_retries", [each for n in range(3) for each in asked(last=None, prompt=f"p{n}")]),
]
GOOD = [
    asked(10, told=10),
    asked(status=401, last=None),
    asked(0.5, 1, 2, 4, 8),
    asked(0.01, 1),
    asked(1, last="ok", outcome="truncated", status=200),
    [Attempt("p", 0, "command", "main", 0, 59, "timeout")],
    [each for n in range(2) for each in asked(last=None, prompt=f"p{n}")],
]


@pytest.mark.parametrize(("habit", "attempts"), BAD)
def test_a_habit_is_seen(habit: str, attempts: list[Attempt]) -> None:
    """The habit that the client has is named, and no other."""
    assert found(*attempts) == {habit}


@pytest.mark.parametrize("attempts", GOOD)
def test_a_client_without_antipatterns_has_none(attempts: list[Attempt]) -> None:
    """A client just within each limit has no anti-pattern."""
    assert found(*attempts) == set()


def test_another_provider_need_not_be_waited_for() -> None:
    """A Retry-After holds for one provider; falling over to another at once does not ignore it."""
    here, there = asked(0.1, told=30)
    over = Attempt(there.prompt, 1, there.group, "other", there.start, there.end, "ok", 200)

    assert found(here, over) == set()


def test_waits_are_measured_by_the_clients_own_clock() -> None:
    """At 60 times the speed a wait of 6 scenario seconds is a tenth of a second, and no back-off."""
    attempts = asked(5, 5)

    assert found(*attempts) == set()
    assert found(*attempts, speed=60) == {"does_not_back_off"}


def test_a_habit_tells_its_evidence_and_what_to_do() -> None:
    """The text names the prompt, the time, what happened, and what to do instead."""
    told = next(str(habit) for habit in antipatterns(asked(0.5, told=10), 1.0) if habit.times)

    assert told == (
        "ignores_retry_after: 1 times; p at 0.0 s: told to wait 10 s, came back after 0.5 s. "
        "A server that says when to come back knows; wait at least as long"
    )


def test_every_habit_has_a_test() -> None:
    """The table above knows every habit there is."""
    assert {habit for habit, _ in BAD} == set(ANTIPATTERNS)
