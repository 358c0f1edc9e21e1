"""The circuit breaker as its users meet it: when it opens, what half-open lets through, when it closes again."""

from random import Random

import pytest

from mockbot.clients.policy import AttemptResult, ClientPolicy, Decision, GiveUp, Send
from tests.clients.play import DOWN, OK, Told, Words, answers, play, policies, status

FIVE = {"name": "once", "breaker": {"name": "consecutive", "failures": 5, "open_for": "30s"}}
HALF = {"name": "once", "breaker": {"name": "windowed", "failures": "50%", "window": "10s", "at_least": 10}}


def _users(policy: Words, count: int = 10) -> list[ClientPolicy]:
    shared = policies(policy)
    return [shared.new_client(Random(seed)) for seed in range(count)]


def _failures(users: list[ClientPolicy], count: int, start: float = 0.0) -> list[Told]:
    return [play(users[n % len(users)], answers(DOWN), start + n * 0.1) for n in range(count)]


def _is_sent(move: Decision) -> bool:
    return isinstance(move, Send)


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    """Five failures of anybody in the process; the sixth prompt is refused without an attempt."""
    told = _failures(_users(FIVE), 6)

    assert [len(prompt.sends) for prompt in told] == [1, 1, 1, 1, 1, 0]
    assert told[-1].gave_up == GiveUp(0.5, "circuit open")


def test_a_success_begins_a_new_row() -> None:
    """Four failures, an answer, four failures: still closed."""
    users = _users(FIVE)
    _failures(users, 4)
    play(users[0], answers(OK), 1.0)

    assert all(len(told.sends) == 1 for told in _failures(users, 5, start=2.0))


def test_a_wrong_request_is_not_the_providers_fault() -> None:
    """Ten times 400 opens nothing; five times 429 does, and five times 408 (the provider was too slow to listen)."""
    users = {code: _users(FIVE) for code in (400, 429, 408)}
    for n in range(10):
        for code, few in users.items():
            play(few[0], answers(status(code)), float(n))

    assert {code: _is_sent(few[1].begin(20.0)) for code, few in users.items()} == {400: True, 429: False, 408: False}


def test_half_open_lets_one_probe_through() -> None:
    """After 30 s one attempt goes out; while it is under way everybody else is refused."""
    users = _users(FIVE)
    _failures(users, 5)

    moves = [users[n].begin(31.0 + n) for n in range(3)]

    assert [_is_sent(move) for move in moves] == [True, False, False]


def test_a_good_probe_closes_it() -> None:
    """The probe is answered, and all are let through again; it takes five new failures to open."""
    users = _users(FIVE)
    _failures(users, 5)

    play(users[0], answers(OK), 31.0)

    assert [len(told.sends) for told in _failures(users, 6, start=32.0)] == [1, 1, 1, 1, 1, 0]


def test_a_bad_probe_opens_it_anew() -> None:
    """The probe fails, and another 30 s pass without an attempt."""
    users = _users(FIVE)
    _failures(users, 5)

    play(users[0], answers(DOWN), 31.0)

    assert not _is_sent(users[1].begin(60.0))
    assert _is_sent(users[2].begin(61.5))


def test_several_probes_must_all_be_good() -> None:
    """`probes: 3`: three at a time, and only the third good one closes it."""
    words = {"name": "once", "breaker": {"name": "consecutive", "failures": 1, "open_for": "10s", "probes": 3}}
    users = _users(words)
    _failures(users, 1)

    sent = [users[n].begin(11.0) for n in range(4)]
    for n in range(2):
        users[n].succeeded(12.0, AttemptResult("ok", "main", 11.0, 200))
    before = [_is_sent(users[n].begin(12.0)) for n in range(4, 7)]
    users[2].succeeded(13.0, AttemptResult("ok", "main", 11.0, 200))

    assert [_is_sent(move) for move in sent] == [True, True, True, False]
    assert before == [True, True, False]
    assert _is_sent(users[7].begin(13.0))


def test_a_probe_that_is_never_heard_of_gives_its_place_back() -> None:
    """The probing user was taken away; when the attempt's time is over, somebody else may probe."""
    users = _users({**FIVE, "timeout": "20s"})
    _failures(users, 5)
    users[0].begin(31.0)

    assert not _is_sent(users[1].begin(50.0))
    assert _is_sent(users[2].begin(51.5))


def test_results_from_before_the_opening_decide_nothing() -> None:
    """An attempt sent before it opened is answered while it is half-open: that is no probe, and it stays half-open."""
    users = _users(FIVE)
    early = users[9].begin(0.0)
    _failures(users[:9], 5)
    users[0].begin(31.0)

    users[9].succeeded(32.0, AttemptResult("ok", "main", early.at, 200))

    assert not _is_sent(users[1].begin(33.0))


def test_a_window_opens_above_its_share() -> None:
    """Half of the last ten seconds' attempts may fail, more may not; fewer than ten say nothing."""
    half, more, few = _users(HALF), _users(HALF), _users(HALF)
    for n in range(20):
        play(half[0], answers(DOWN if n % 2 else OK), n * 0.3)
        play(more[0], answers(OK if n % 3 == 0 else DOWN), n * 0.3)
    _failures(few, 9)

    assert _is_sent(half[1].begin(6.1))
    assert not _is_sent(more[1].begin(6.1))
    assert _is_sent(few[1].begin(6.1))


def test_a_window_forgets() -> None:
    """Nine failures, eleven quiet seconds, nine failures: never ten in one window."""
    users = _users(HALF)
    told = [*_failures(users, 9), *_failures(users, 9, start=12.0)]

    assert all(len(prompt.sends) == 1 for prompt in told)


def test_a_refused_client_backs_off_and_looks_again() -> None:
    """An open breaker counts as a failed try: the back-off goes on, and the attempt after the opening is the probe."""
    users = _users(
        {
            "name": "backoff",
            "jitter": "none",
            "attempts": 8,
            "breaker": {"name": "consecutive", "failures": 2, "open_for": "40s"},
        }
    )

    told = play(users[0], answers(DOWN, DOWN, OK))

    assert [send.at for send in told.sends] == pytest.approx([0, 1, 1 + 2 + 4 + 8 + 16 + 30])


def test_client_processes_learn_apart() -> None:
    """`processes: 50`: the users of one open breaker are refused, those of the other processes are not."""
    users = _users({**FIVE, "processes": 50}, 200)
    for _ in range(5):
        play(users[0], answers(DOWN))

    sent = sum(_is_sent(user.begin(1.0)) for user in users)

    assert 150 <= sent <= 199
