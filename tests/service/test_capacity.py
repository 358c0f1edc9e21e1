"""The capacity model by itself, in virtual time."""

import math

import pytest

from mockbot.service.capacity import Capacity
from mockbot.service.job import Admitted, Decision, Job, Queued, Refused, Slope
from mockbot.service.per_second_stats import PerSecondStats
from tests.service.values import provider_of


def capacity_of(**provider: object) -> Capacity:
    """A capacity model of a provider given as a file would."""
    return Capacity(provider_of(**provider), PerSecondStats("main"))


def ask(capacity: Capacity, *works: float, now: float = 0.0, tier: str = "free") -> list[tuple[Job, Decision]]:
    """Jobs of so many seconds, all asked now, with what was decided."""
    jobs = [Job(work, tier) for work in works]
    return [(job, capacity.ask(job, now)) for job in jobs]


def states(asked: list[tuple[Job, Decision]]) -> list[str]:
    """What became of them."""
    return [job.state for job, _ in asked]


def test_slots_then_queue_then_refusal() -> None:
    """Two slots and one place in the queue: the fourth request is turned away and told how long to wait."""
    capacity = capacity_of(slots=2, queue={"limit": 1}, retry_after="7s")

    decisions = [decision for _, decision in ask(capacity, 5, 3, 1, 1)]

    assert decisions == [Admitted(5), Admitted(3), Queued(0), Refused("queue_full", 7.0)]


def test_the_next_in_line_starts_the_moment_a_slot_is_free() -> None:
    """A caller that looks late changes nothing: starts and ends carry their own exact times."""
    capacity = capacity_of(slots=1, queue={"limit": 5})
    asked = ask(capacity, 2, 3, 1)

    capacity.advance(100.0)

    assert [(job.begun, job.ended) for job, _ in asked] == [(0, 2), (2, 5), (5, 6)]


def test_next_event_is_when_the_first_answer_ends() -> None:
    """Nothing to wait for is infinity."""
    capacity = capacity_of(slots=2)
    before = capacity.next_event()
    ask(capacity, 5, 3)

    assert (before, capacity.next_event()) == (math.inf, 3)


def test_lifo_serves_the_youngest_first() -> None:
    """With `order: lifo` the last to come is the next to be served."""
    capacity = capacity_of(slots=1, queue={"limit": 5, "order": "lifo"})
    asked = ask(capacity, 1, 1, 1)

    capacity.advance(100.0)

    assert [job.begun for job, _ in asked] == [0, 2, 1]


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_nobody_waits_longer_than_max_wait(order: str) -> None:
    """A job that waited max_wait is turned away then, not when a slot is free."""
    capacity = capacity_of(slots=1, queue={"limit": 5, "order": order, "max_wait": "4s"})
    asked = ask(capacity, 10, 1)

    assert capacity.next_event() == 4
    assert capacity.advance(4.0) == [asked[1][0]]
    assert (asked[1][0].state, asked[1][0].ended) == ("expired", 4)


def test_abandoned_work_continues() -> None:
    """Zombies: the queued one is served although nobody waits for it, and keeps the slot from the one that does."""
    capacity = capacity_of(slots=1, queue={"limit": 5}, abandoned_work="continues")
    asked = ask(capacity, 2, 2, 2)
    capacity.leave(asked[0][0], 1.0)
    capacity.leave(asked[1][0], 1.0)

    capacity.advance(10.0)

    assert states(asked) == ["done", "done", "done"]
    assert asked[2][0].begun == 4
    assert sum(second.wasted for second in capacity.stats.seconds()) == pytest.approx(1 + 2)


def test_abandoned_work_leaves_the_queue() -> None:
    """Only running work goes on; a queued job is gone with its client."""
    capacity = capacity_of(slots=1, queue={"limit": 5}, abandoned_work="leaves_queue")
    asked = ask(capacity, 2, 2, 2)
    capacity.leave(asked[0][0], 1.0)
    capacity.leave(asked[1][0], 1.0)

    capacity.advance(10.0)

    assert states(asked) == ["done", "left", "done"]
    assert asked[2][0].begun == 2


def test_abandoned_work_stops() -> None:
    """The slot is free at once, and the next in line takes it."""
    capacity = capacity_of(slots=1, queue={"limit": 5}, abandoned_work="stops")
    asked = ask(capacity, 2, 2, 2)
    capacity.leave(asked[0][0], 1.0)
    capacity.leave(asked[1][0], 1.0)

    capacity.advance(10.0)

    assert states(asked) == ["left", "left", "done"]
    assert asked[2][0].begun == 1


def test_a_place_left_in_the_queue_can_be_taken() -> None:
    """The queue's limit counts those who wait, not those who were there once."""
    capacity = capacity_of(slots=1, queue={"limit": 1}, abandoned_work="leaves_queue")
    asked = ask(capacity, 9, 9)
    capacity.leave(asked[1][0], 1.0)

    assert isinstance(capacity.ask(Job(1), 1.0), Queued)


def test_sharing_slows_everyone_in_proportion() -> None:
    """From a knee of 2 on, four jobs of one second take two seconds each."""
    capacity = capacity_of(slots=10, answer={"slowdown_from": 2})
    asked = ask(capacity, 1, 1, 1, 1)

    capacity.advance(10.0)

    assert [job.ended for job, _ in asked] == pytest.approx([2, 2, 2, 2])


def test_sharing_below_the_knee_slows_nobody() -> None:
    """Two jobs at a knee of 2 run at full speed."""
    capacity = capacity_of(slots=10, answer={"slowdown_from": 2})
    asked = ask(capacity, 1, 3)

    capacity.advance(10.0)

    assert [job.ended for job, _ in asked] == pytest.approx([1, 3])


def test_progress_follows_the_shared_speed() -> None:
    """Half way through a doubled second, half of the work is done, and the rest is due when it says."""
    capacity = capacity_of(slots=10, answer={"slowdown_from": 1})
    job, _ = ask(capacity, 1, 1)[0]

    assert capacity.progress(job, 1.0) == pytest.approx(0.5)
    assert capacity.reaches(job, 0.75) == pytest.approx(1.5)


def test_half_the_capacity_admits_half_as_many() -> None:
    """A capacity factor takes slots away from newcomers, never from those who run."""
    capacity = capacity_of(slots=4, queue={"limit": 9})
    asked = ask(capacity, 10, 10, 10, 10)
    capacity.resize([Slope(0, 100, 0.5, 0.5)], 1.0)
    waiting = ask(capacity, 1, now=2.0)

    capacity.advance(9.9)

    assert states(asked) == ["running"] * 4
    assert states(waiting) == ["waiting"]


def test_growing_capacity_takes_up_the_queue_by_itself() -> None:
    """While capacity ramps from nothing to four slots in eight seconds, a slot opens about every two."""
    capacity = capacity_of(slots=4, queue={"limit": 9})
    capacity.resize([Slope(0, 8, 0.0, 1.0)], 0.0)
    asked = ask(capacity, 99, 99, 99, 99)

    while capacity.next_event() < 9:
        capacity.advance(capacity.next_event())

    assert [job.begun for job, _ in asked] == pytest.approx([1, 3, 5, 7], abs=0.3)


def test_requests_that_come_all_the_time_do_not_keep_growing_capacity_from_the_queue() -> None:
    """Ten a second come while the slots grow as above: a slot that opens is taken all the same."""
    capacity = capacity_of(slots=4, queue={"limit": 99})
    capacity.resize([Slope(0, 8, 0.0, 1.0)], 0.0)

    asked = [each for tick in range(90) for each in ask(capacity, 99, now=tick / 10)]

    assert [job.begun for job, _ in asked[:4]] == pytest.approx([1, 3, 5, 7], abs=0.3)


def test_a_crash_loses_queue_and_running_work() -> None:
    """Nobody is answered, and nobody is let in until the restart."""
    capacity = capacity_of(slots=1, queue={"limit": 5})
    asked = ask(capacity, 2, 2)

    lost = capacity.crash(1.0)

    assert (states(asked), len(lost)) == (["lost", "lost"], 2)
    assert capacity.ask(Job(1), 2.0) == Refused("crashed")


def test_after_a_crash_capacity_warms_up() -> None:
    """A cold start: a quarter of the way, a quarter of the slots."""
    capacity = capacity_of(slots=40)
    capacity.crash(1.0)
    capacity.restart(20.0, 10.0)

    slots = []
    for now in (10.0, 15.0, 20.0, 30.0, 99.0):
        capacity.advance(now)
        slots.append(capacity.slots)

    assert slots == [0, 10, 20, 40, 40]


def test_those_who_pay_are_served_first() -> None:
    """A tier with priority overtakes everyone who waits."""
    capacity = capacity_of(slots=1, queue={"limit": 5, "first": ["plus"]})
    free = ask(capacity, 1, 1, 1)
    plus = ask(capacity, 1, tier="plus")

    capacity.advance(100.0)

    assert [job.begun for job, _ in free + plus] == [0, 2, 3, 1]


def test_those_who_pay_push_out_the_youngest_who_does_not() -> None:
    """A full queue sheds free work for paid work, and never the other way round."""
    capacity = capacity_of(slots=1, queue={"limit": 2, "first": ["plus"]})
    free = ask(capacity, 1, 1, 1)
    plus = ask(capacity, 1, tier="plus")
    late = ask(capacity, 1)

    assert states(free + plus) == ["running", "waiting", "displaced", "waiting"]
    assert late[0][1] == Refused("queue_full", None)


def test_refusing_costs_the_others_slot_time() -> None:
    """Ten refusals of 0.2 s each are paid by the answers that begin next, none of which is more than doubled."""
    capacity = capacity_of(slots=2, queue={"limit": 2}, refusal_cost="200ms")
    asked = ask(capacity, 4, 4, 1.5, 1)
    ask(capacity, *[1.0] * 10)

    capacity.advance(100.0)

    assert [job.ended - job.begun for job, _ in asked] == pytest.approx([4, 4, 1.5 + 1.5, 1 + 0.5])


def test_idle_slots_pay_for_refusals() -> None:
    """A refusal long ago is forgotten."""
    capacity = capacity_of(slots=1, queue={"limit": 0}, refusal_cost="500ms")
    ask(capacity, 1, 1)
    late = ask(capacity, 1, now=10.0)

    capacity.advance(100.0)

    assert late[0][0].ended == 11


def test_husks_of_those_who_left_do_not_pile_up() -> None:
    """A queue that ten thousand have joined and left keeps memory of a few."""
    capacity = capacity_of(slots=1, queue={"limit": 5}, abandoned_work="leaves_queue")
    ask(capacity, 1e9, 1e9)
    for n in range(10_000):
        job = Job(1.0)
        capacity.ask(job, float(n))
        capacity.leave(job, float(n))

    assert capacity.queued == 1
    assert len(capacity._queue._queues[0]) < 200


def test_littles_law_holds_on_the_ledger() -> None:
    """The slot-seconds on record are the sum of what every job took, to the last one."""
    capacity = capacity_of(slots=3, queue={"limit": 100})
    asked = [one for start in range(50) for one in ask(capacity, 0.7, 1.9, now=start * 0.61)]

    capacity.advance(1000.0)

    seconds = list(capacity.stats.seconds())
    assert sum(second.work for second in seconds) == pytest.approx(sum(job.ended - job.begun for job, _ in asked))
    assert sum(second.admitted for second in seconds) == sum(second.finished for second in seconds) == 100
