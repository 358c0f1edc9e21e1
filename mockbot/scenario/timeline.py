"""Turn a Scenario into a Timeline: everything that is wrong at second t. Pure; owns every overlap rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from mockbot.scenario.faults import FaultBase
from mockbot.scenario.schema import Scenario, StatusUpdate


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase on the scenario's clock: `start <= t < end`, seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault on the scenario's clock. `id` is `<phase>.<index in the phase>.<kind>`, for instance `blackout.0.http_error`."""

    id: str
    fault: FaultBase
    provider: str
    phase: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that holds now, with the share (0..1) of requests or connections it hits now."""

    span: FaultSpan
    share: float


@dataclass(frozen=True, slots=True)
class StatusState:
    """What a provider's status page says now."""

    since: float
    update: StatusUpdate


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds at second t."""

    t: float
    phase: str
    faults: tuple[ActiveFault, ...]
    users: Mapping[str, int]  # group -> number of users; closed groups only
    arrivals: Mapping[str, float]  # group -> prompts per second; open groups only
    status: StatusState | None

    def of(self, provider: str) -> tuple[ActiveFault, ...]:
        """The faults of one provider."""
        return tuple(active for active in self.faults if active.span.provider == provider)


class Timeline:
    """All of a scenario's time, as questions. Built once; every answer is a pure function of t."""

    scenario: Scenario
    phases: tuple[PhaseSpan, ...]
    faults: tuple[FaultSpan, ...]
    end: float

    def __init__(self, scenario: Scenario) -> None:
        raise NotImplementedError

    def at(self, t: float) -> Conditions:
        """What holds at t; before 0 the first moment, after the end the last phase without faults."""
        raise NotImplementedError

    def phase_at(self, t: float) -> PhaseSpan:
        """The phase that contains t (clamped to the first and last)."""
        raise NotImplementedError

    def changes(self) -> tuple[float, ...]:
        """The moments, ascending, at which the set of active faults, a phase, a flap or the status page changes (ramps aside)."""
        raise NotImplementedError

    def max_users(self) -> dict[str, int]:
        """The most users each closed group ever has."""
        raise NotImplementedError
