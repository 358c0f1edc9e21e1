"""Waiting jobs in order of arrival: a deque in, the job at either end out. Pure.

Leaving is lazy: the entry of a job that left stays as a tombstone and is dropped when it reaches either end.
"""

from collections import deque

from mockbot.service.job import Job


def oldest(queue: deque[Job]) -> Job | None:
    """The first that still waits; drops the tombstones before it."""
    while queue and queue[0].state != "waiting":
        queue.popleft()
    return queue[0] if queue else None


def youngest(queue: deque[Job]) -> Job | None:
    """The last that still waits; drops the tombstones behind it."""
    while queue and queue[-1].state != "waiting":
        queue.pop()
    return queue[-1] if queue else None


def drop_tombstones(queue: deque[Job]) -> None:
    """Keep only jobs that wait."""
    kept = [job for job in queue if job.state == "waiting"]
    queue.clear()
    queue.extend(kept)
