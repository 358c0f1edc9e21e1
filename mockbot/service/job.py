"""The values that the capacity model takes and returns: jobs, and decisions about them."""

import math
from typing import Literal, NamedTuple

from mockbot.dialects.dialect import Allowance, Reason

State = Literal["new", "waiting", "running", "done", "left", "expired", "displaced", "lost"]
REFUSED_LATE: dict[State, Reason] = {"expired": "max_wait", "displaced": "displaced"}  # out of the queue


class Admitted(NamedTuple):
    """It has a slot, and is complete at `until` unless sharing slots moves that."""

    until: float


class Queued(NamedTuple):
    """It waits behind `ahead` others."""

    ahead: int


class Refused(NamedTuple):
    """It is turned away. `retry_after` in scenario seconds; None: no Retry-After is sent."""

    reason: Reason
    retry_after: float | None = None
    allowances: tuple[Allowance, ...] = ()  # of the limits that were checked


class Slope(NamedTuple):
    """A factor on the slots: linear from `first` at `start` to `last` at `end`, constant before and after."""

    start: float
    end: float
    first: float
    last: float

    def at(self, now: float) -> float:
        """The factor at `now`."""
        if now >= self.end:
            return self.last
        return self.first + (self.last - self.first) * max(0.0, now - self.start) / (self.end - self.start)


Decision = Admitted | Queued | Refused


class Job:
    """One answer to be generated. `owner` is the caller's own; state and times are set by the capacity model."""

    __slots__ = ("asked", "begun", "ended", "gone", "hits", "owner", "state", "tier", "v_end", "work")

    def __init__(self, work: float, tier: str = "", owner: object = None, hits: tuple[str, ...] = ()) -> None:
        self.work = work  # seconds of a slot at full speed
        self.tier = tier
        self.owner = owner
        self.hits = hits  # ids of the faults that are counted as felt when it begins
        self.state: State = "new"
        self.gone = False  # its client has left
        self.asked = self.begun = self.ended = math.nan
        self.v_end = math.inf
