"""Which replica gets the next connection."""

from mockbot.service.turns import Turns


def _next(turns: Turns, count: int) -> list[int]:
    return [turns.next() for _ in range(count)]


def test_each_replica_has_its_turn() -> None:
    """From the first one on, again and again."""
    assert _next(Turns(3), 7) == [0, 1, 2, 0, 1, 2, 0]


def test_turns_go_past_those_that_are_down_and_come_back_to_them() -> None:
    """The others go on in their order."""
    turns = Turns(4)
    turns.set_up(1, up=False)

    assert _next(turns, 5) == [0, 2, 3, 0, 2]

    turns.set_up(1, up=True)

    assert _next(turns, 4) == [3, 0, 1, 2]


def test_with_none_up_turns_go_on() -> None:
    """Whoever asks learns from the replica itself that it is down."""
    turns = Turns(2)
    for replica in (0, 1):
        turns.set_up(replica, up=False)

    assert not turns.any_up
    assert _next(turns, 3) == [0, 1, 0]
