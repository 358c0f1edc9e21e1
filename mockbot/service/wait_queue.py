"""Jobs that wait for a slot: a queue for each tier that is served first, and one for all others. Pure.

Leaving is lazy: the entry of a job that left stays as a tombstone and is dropped when it reaches either end.
"""

from collections import deque
from operator import attrgetter

from mockbot.scenario.parts import Queue
from mockbot.service.job import Job


class WaitQueue:
    """By the rules of a scenario. `waiting`: how many jobs; whoever calls sets their `state`, "waiting" meanwhile."""

    def __init__(self, rules: Queue) -> None:
        self.waiting = 0
        self._lifo = rules.order == "lifo"
        self._place = {tier: index for index, tier in enumerate(rules.first)}
        self._queues: tuple[deque[Job], ...] = tuple(deque() for _ in range(len(rules.first) + 1))

    def add(self, job: Job) -> None:
        """It begins to wait."""
        self._queues[self._place.get(job.tier, -1)].append(job)
        self.waiting += 1

    def take(self) -> Job:
        """The job whose turn it is, which no longer waits; one has to be waiting."""
        queue = next(queue for queue in self._queues if (_youngest if self._lifo else _oldest)(queue) is not None)
        self.waiting -= 1
        return queue.pop() if self._lifo else queue.popleft()

    def left(self, job: Job) -> None:
        """It waits no longer, and its state says so."""
        self.waiting -= 1
        queue = self._queues[self._place.get(job.tier, -1)]
        if len(queue) > 2 * self.waiting + 64:  # mostly tombstones; amortized, each is moved a constant number of times
            kept = [each for each in queue if each.state == "waiting"]
            queue.clear()
            queue.extend(kept)

    def oldest(self) -> Job:
        """The one that waits longest; one has to be waiting."""
        firsts = [job for queue in self._queues if (job := _oldest(queue)) is not None]
        return min(firsts, key=attrgetter("asked")) if len(firsts) > 1 else firsts[0]

    def displaced_by(self, job: Job) -> Job | None:
        """The youngest of the lowest tier below the job's; None when there is none."""
        below = self._place.get(job.tier, len(self._place))
        for queue in self._queues[:below:-1]:
            if (lowest := _youngest(queue)) is not None:
                return lowest
        return None

    def clear(self) -> list[Job]:
        """Nobody waits any more; those who did, the first tier first."""
        jobs = [job for queue in self._queues for job in queue if job.state == "waiting"]
        for queue in self._queues:
            queue.clear()
        self.waiting = 0
        return jobs


def _oldest(queue: deque[Job]) -> Job | None:
    """The first that still waits; drops the tombstones before it."""
    while queue and queue[0].state != "waiting":
        queue.popleft()
    return queue[0] if queue else None


def _youngest(queue: deque[Job]) -> Job | None:
    """The last that still waits; drops the tombstones behind it."""
    while queue and queue[-1].state != "waiting":
        queue.pop()
    return queue[-1] if queue else None
