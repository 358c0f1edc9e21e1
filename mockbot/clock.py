"""Scenario time: seconds since the load started, `speed` times as fast as the wall.

All of mockbot counts in scenario seconds. Only what really waits (a sleep, a socket timeout, a wire field in
milliseconds) divides by `speed`, through this one value.
"""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`t0`: Unix time of scenario second 0; `speed`: scenario seconds per wall second (> 0)."""

    t0: float
    speed: float = 1.0

    def now(self) -> float:
        """Scenario seconds since t0 (negative before it)."""
        return (time.time() - self.t0) * self.speed

    def wall(self, seconds: float) -> float:
        """How many wall seconds a scenario duration takes."""
        return seconds / self.speed

    def scenario(self, wall_seconds: float) -> float:
        """How many scenario seconds a wall duration was."""
        return wall_seconds * self.speed

    def at(self, t: float) -> float:
        """The Unix time of scenario second t."""
        return self.t0 + t / self.speed
