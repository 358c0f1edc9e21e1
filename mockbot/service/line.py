"""A line of waiting jobs in order of asking: a deque in, who stands at either end out. Pure.

Who leaves from the middle stays as a husk, which costs nothing until it comes to an end of the line and is dropped
there.
"""

from collections import deque

from mockbot.service.job import Job


def asked(job: Job) -> float:
    """When it came."""
    return job.asked


def left(line: deque[Job]) -> Job | None:
    """The oldest that waits."""
    while line and line[0].state != "waiting":
        line.popleft()
    return line[0] if line else None


def right(line: deque[Job]) -> Job | None:
    """The youngest that waits."""
    while line and line[-1].state != "waiting":
        line.pop()
    return line[-1] if line else None
