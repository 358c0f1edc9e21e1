"""Scenario time: seconds since the load started, `speed` times as fast as the wall.

All of mockbot counts in scenario seconds. Only what really waits (a sleep, a socket timeout, a wire field in
milliseconds) divides by `speed`, through this one value.

Durations come from the system's monotonic clock, which is one for all processes of a machine, and which nobody can
set. The wall clock is read once, when a clock starts, and serves only for dates on the wire and for readers.
"""

import platform
import time
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

# Seconds of the system's monotonic clock (clock_gettime(2)). `time.monotonic` reads the same clock, but freezegun and
# time-machine replace it in the tests of our users.
monotonic = partial(time.clock_gettime, time.CLOCK_MONOTONIC)


@cache
def machine() -> str:
    """What names the machine, and so its monotonic clock: the id of the kernel's boot, else the host's name.

    A container may have a monotonic clock of its own (time_namespaces(7)), which is another one's then.
    """
    boot, own = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")
    if not boot.exists():
        return platform.node()
    namespace = f" {own.readlink()}" if own.is_symlink() else ""
    return f"{boot.read_text('ascii').strip()}{namespace}"


@dataclass(frozen=True, slots=True)
class Clock:
    """`origin`: reading of the monotonic clock at scenario second 0; `speed`: scenario seconds per wall second (> 0);
    `t0`: Unix time of second 0, by the wall clock when this clock was started.
    """

    origin: float
    speed: float = 1.0
    t0: float = 0.0

    @classmethod
    def start(cls, speed: float = 1.0, delay: float = 0.0) -> "Clock":
        """A clock whose second 0 is `delay` wall seconds from now."""
        return cls(monotonic() + delay, speed, time.time() + delay)

    def on(self, other: str, offset: float | None = None) -> "Clock":
        """The same clock for this process, `self` having been started on the machine `other`.

        `offset`: that machine's monotonic clock minus this one's, as measured. Without it another machine's second 0 is
        found by the wall clocks of both.
        """
        if other == machine():
            return self
        origin = monotonic() + self.t0 - time.time() if offset is None else self.origin - offset
        return replace(self, origin=origin)

    def now(self) -> float:
        """Scenario seconds since second 0 (negative before it)."""
        return (monotonic() - self.origin) * self.speed

    def wall(self, seconds: float) -> float:
        """How many wall seconds a scenario duration takes."""
        return seconds / self.speed

    def scenario(self, wall_seconds: float) -> float:
        """How many scenario seconds a wall duration was."""
        return wall_seconds * self.speed

    def at(self, t: float) -> float:
        """The Unix time of scenario second t."""
        return self.t0 + t / self.speed
