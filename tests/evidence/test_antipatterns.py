"""Each anti-pattern has a client that shows it and one that nearly does; both are attempts alone."""

from dataclasses import replace

import pytest

from mockbot.evidence.antipatterns import ANTIPATTERNS, OCCASIONS, Antipattern, antipatterns
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
        "ignores_retry_after: 1 time; p at 0:00.0: told to wait 10s, came back after 500ms. "
        "A server that says when to come back knows; wait at least as long"
    )


def judged(*attempts: Attempt) -> dict[str, Antipattern]:
    return {habit.name: habit for habit in antipatterns(attempts, 1.0)}


def failures(count: int, *, told: float | None = None, status: int = 503, new: float = 0.0) -> list[Attempt]:
    """So many prompts of one failed attempt, `new` seconds apart; each may be the retry of the one before."""
    return [
        Attempt(f"p{n}", 0, "command", "main", n * (1 + new), n * (1 + new) + 1, "http_error", status,
                retry_after=told, may_retry=f"p{n - 1}" if n else None)
        for n in range(count)
    ]  # fmt: skip


def test_a_habit_without_an_occasion_is_undecided() -> None:
    """An answer at once gives occasion to none of them, and none holds the client back from being judged otherwise."""
    answered = judged(Attempt("p", 0, "command", "main", 0, 1, "ok", 200))

    assert {name: habit.undecided for name, habit in answered.items()} == {
        name: f"no occasion: {what}" for name, what in OCCASIONS.items()
    }
    assert not any(habit.unsettled for habit in answered.values())


AVOIDED = [
    ("ignores_retry_after", asked(10, told=10)),
    ("retries_what_cannot_succeed", asked(status=401, last=None)),
    ("retries_without_end", asked(1)),
    ("does_not_back_off", asked(1, 2)),
    ("takes_broken_answers", asked(1, last="ok", outcome="truncated", status=200)),
    ("hangs", [Attempt("p", 0, "command", "main", 0, 59, "timeout")]),
    ("never_retries", asked(1)),
]


@pytest.mark.parametrize(("habit", "attempts"), AVOIDED)
def test_a_habit_is_avoided_only_on_an_occasion(habit: str, attempts: list[Attempt]) -> None:
    """The client could have had the habit, and had not."""
    assert (judged(*attempts)[habit].times, judged(*attempts)[habit].undecided) == (0, "")
    assert {name for name, _ in AVOIDED} == set(ANTIPATTERNS)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_client_that_only_gave_up_a_few_times_is_not_settled(count: int) -> None:
    """No request, or one or two failures without a retry, show nothing; the sentence says what to do."""
    seen = judged(*(replace(each, may_retry=None) for each in failures(count)))["never_retries"]

    assert (seen.times, seen.unsettled) == (0, True)
    assert "let it ask while a fault holds" in seen.undecided or "let more of its requests fail" in seen.undecided


def test_prompts_that_may_be_retries_are_neither_accused_nor_acquitted() -> None:
    """Twelve failures at once, each perhaps the retry of the one before: hammering, or twelve questions given up."""
    seen = judged(*failures(12, told=5.0))

    assert not any(habit.times for habit in seen.values())
    unsettled = {name for name, habit in seen.items() if habit.unsettled}
    assert unsettled == {"ignores_retry_after", "retries_without_end", "never_retries"}
    assert seen["never_retries"].undecided.startswith("11 failures followed by a request that may be a retry")


def test_what_a_retry_in_other_words_would_not_change_is_decided() -> None:
    """Politely spaced, 401: given up or tried again cannot be told; that it does not hang is plain."""
    waits = judged(*failures(3, told=2.0, new=2.0))
    wrong = judged(*failures(2, status=401))

    assert waits["ignores_retry_after"].undecided == "no occasion: no request was told when to come back and came back"
    assert {name for name, habit in waits.items() if habit.unsettled} == {"never_retries"}
    assert {name for name, habit in wrong.items() if habit.unsettled} == {"retries_what_cannot_succeed"}


def test_a_broken_answer_that_may_have_been_asked_for_again_is_no_evidence() -> None:
    """The same question in other words may be that."""
    broken = asked(last="truncated")
    again = replace(asked(last="ok", prompt="q")[0], start=2, end=3, may_retry="p")

    assert judged(*broken)["takes_broken_answers"].times == 1
    assert judged(*broken, again)["takes_broken_answers"].unsettled


def test_a_few_doubts_do_not_excuse_many_failures_given_up() -> None:
    """Four given up for sure, and two of which it cannot be told."""
    sure = [replace(each, prompt=f"s{each.prompt}", may_retry=None) for each in failures(4)]

    assert judged(*sure, *failures(2))["never_retries"].times == 5
    assert judged(*sure[:2], *failures(2))["never_retries"].unsettled is False


def test_every_habit_has_a_test() -> None:
    """The table above knows every habit there is."""
    assert {habit for habit, _ in BAD} == set(ANTIPATTERNS)
