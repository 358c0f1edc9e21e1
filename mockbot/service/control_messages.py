"""The control API's documents, read and written on both sides: the JSON of values that exist anyway.

PUT /clock a `SharedClock`, PUT /faults/<provider> a list of `ActiveFault`, PUT /status a `StatusState` or null.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter

from mockbot.clock import Clock, machine
from mockbot.scenario.timeline import ActiveFault, StatusState

PREFIX = "/_mockbot"
REACH = "/"  # of a provider: asked to see whether the clients' way to it is open; it is a 404 that counts nowhere
FAULTS = TypeAdapter(tuple[ActiveFault, ...])
STATUS: TypeAdapter[StatusState | None] = TypeAdapter(StatusState | None)


@dataclass(frozen=True, slots=True)
class SharedClock:
    """A clock, and the machine that started it, of whose monotonic clock its origin is a reading."""

    clock: Clock
    machine: str

    @classmethod
    def of(cls, clock: Clock) -> "SharedClock":
        """A clock of this machine."""
        return cls(clock, machine())

    def here(self) -> Clock:
        """The clock in this process."""
        return self.clock.on(self.machine)


CLOCK = TypeAdapter(SharedClock)


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """The scenario that a service serves, and its ports: the status page's, and each provider's."""

    scenario: str
    status: int
    providers: dict[str, int]
