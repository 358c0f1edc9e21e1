"""What the capacity model and its callers hand each other: jobs, and what was decided about them. Values only."""

import math
from typing import Literal, NamedTuple

from mockbot.service.limits import Allowance

State = Literal["new", "waiting", "running", "done", "left", "expired", "displaced", "lost"]
Reason = Literal["queue_full", "max_wait", "displaced", "shed", "rate_limited", "token_limited", "too_large", "crashed"]


class Admitted(NamedTuple):
    """It has a slot; complete at `until` as things stand (sharing may move that)."""

    until: float


class Queued(NamedTuple):
    """It waits behind `ahead` others."""

    ahead: int


class Refused(NamedTuple):
    """It is turned away; `retry_after` (scenario seconds) is what the client is told, None: nothing."""

    reason: Reason
    retry_after: float | None = None
    allowances: tuple[Allowance, ...] = ()  # of the limits that were looked at


class Slope(NamedTuple):
    """A factor on the slots that goes in a straight line from `first` at `start` to `last` at `end`, and stays
    there.
    """

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
    """One answer to be generated. The caller makes it, may hang its own things on `owner`, and reads the rest."""

    __slots__ = ("asked", "begun", "ended", "gone", "hits", "owner", "state", "tier", "v_end", "work")

    def __init__(self, work: float, tier: str = "", owner: object = None, hits: tuple[str, ...] = ()) -> None:
        self.work = work  # seconds of a slot at full speed
        self.tier = tier
        self.owner = owner
        self.hits = hits  # ids of the faults it is hit by when it begins
        self.state: State = "new"
        self.gone = False  # its client has left
        self.asked = self.begun = self.ended = math.nan
        self.v_end = math.inf
