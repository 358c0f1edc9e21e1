"""What a policy decides, without a clock or a socket: asked before the first attempt and after each failed one.

    mind = mind_of(group, rng)              one per user; may share state with others of its group
    move = mind.begin(now)                  Send(...) | GiveUp(...)
    ... the caller waits, sends, sees ...
    move = mind.after(now, seen)            Send(...) | GiveUp(...)   for every attempt that was not ok
    mind.succeeded(now, seen)               for the one that was

All times are scenario seconds; the caller does every wait. Patience is part of the mind: no Send ever starts after it is over.
"""

from dataclasses import dataclass
from typing import Protocol

from mockbot.evidence.records import Outcome


@dataclass(frozen=True, slots=True)
class Send:
    """Send an attempt to `provider` at time `at` (>= now) and abandon it `timeout` seconds after that."""

    at: float
    provider: str
    timeout: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The prompt is over; `at` (>= now) is when the user sees it. `why` is for people: "3 attempts", "patience", "budget"."""

    at: float
    why: str


Move = Send | GiveUp


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client saw of one attempt. `retry_after` in scenario seconds, as the server told it."""

    outcome: Outcome
    provider: str
    started: float
    status: int | None = None
    retry_after: float | None = None
    should_retry: bool | None = None  # x-should-retry
    streamed: bool = False  # True once a token had arrived


class Mind(Protocol):
    """One user's decisions for one prompt after the other."""

    def begin(self, now: float) -> Move:
        """A new prompt, issued now."""
        ...

    def after(self, now: float, seen: Seen) -> Move:
        """An attempt failed."""
        ...

    def succeeded(self, now: float, seen: Seen) -> None:
        """An attempt was ok; the prompt is answered."""
        ...
