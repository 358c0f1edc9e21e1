"""Turn phases, and times relative to them, into spans on the scenario's clock. Pure arithmetic."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mockbot.faults import Fault
from mockbot.faults.base import Flap
from mockbot.scenario.parts import Phase, StatusUpdate
from mockbot.units.quantities import parse_duration

# A phase name may contain '-' and digits: only a sign before a number with a unit begins the offset.
_OFFSET = re.compile(r"(?P<phase>.+?) *(?P<sign>[+-]) *(?P<offset>[\d.]+(?:ms|h|m|s)[\d.hms]*)")


def where(provider: str, replica: int | None) -> str:
    """ "main", or "replica 2 of main"."""
    return provider if replica is None else f"replica {replica} of {provider}"


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase on the scenario's clock: `start <= t < end`, seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault on the scenario's clock. `id` is `<phase>.<index in the phase>.<kind>`: `blackout.0.http_error`.

    `provider` is SYSTEM for a fault on the system under test.
    """

    id: str
    fault: Fault
    provider: str
    phase: str
    start: float
    end: float

    @property
    def replica(self) -> int | None:
        """Which replica of its provider it hits, from 1; None: all of it."""
        replica: int | None = getattr(self.fault, "replica", None)  # of a fault inside the service
        return replica

    @property
    def where(self) -> str:
        """ "main", or "replica 2 of main"."""
        return where(self.provider, self.replica)

    def progress(self, t: float) -> float:
        """How far into its span t is, 0..1: what every ramp of the fault follows."""
        return min(1.0, max(0.0, (t - self.start) / (self.end - self.start)))

    def holds(self, t: float) -> bool:
        """Whether it holds at t, and is not off because it flaps."""
        flap = self.fault.flap
        if flap is None or not self.start <= t < self.end:
            return self.start <= t < self.end
        cycle = int((t - self.start) / flap.period)
        # The division may round over an edge; the floats of `edges` decide.
        cycle += (self._on(flap, cycle + 1) <= t) - (self._on(flap, cycle) > t)
        return t < self._on(flap, cycle) + flap.duty * flap.period

    @property
    def last_off(self) -> float:
        """When it goes off for the last time: before its end, if it flaps and ends with a pause."""
        flap = self.fault.flap
        if flap is None:
            return self.end
        last = max(
            on
            for cycle in range(int((self.end - self.start) / flap.period) + 1)
            if (on := self._on(flap, cycle)) < self.end
        )
        return min(self.end, last + flap.duty * flap.period)

    def edges(self) -> list[float]:
        """All moments at which it goes on or off."""
        edges, flap = [self.start, self.end], self.fault.flap
        if flap is not None:
            for cycle in range(int((self.end - self.start) / flap.period) + 1):
                on = self._on(flap, cycle)
                edges += on, on + flap.duty * flap.period
        return [edge for edge in edges if edge <= self.end]

    def _on(self, flap: Flap, cycle: int) -> float:
        return self.start + cycle * flap.period


def phase_spans(phases: Sequence[Phase]) -> tuple[PhaseSpan, ...]:
    """One phase after the other, from 0."""
    spans: list[PhaseSpan] = []
    for phase in phases:
        start = spans[-1].end if spans else 0.0
        spans.append(PhaseSpan(phase.name, start, start + phase.lasts))
    return tuple(spans)


def fault_spans(phases: Sequence[Phase], first_provider: str) -> tuple[FaultSpan, ...]:
    """When every fault starts and ends, in the order of the file."""
    spans: list[FaultSpan] = []
    for phase, span in zip(phases, phase_spans(phases), strict=True):
        for index, fault in enumerate(phase.faults):
            start = span.start + fault.at
            end = span.end if fault.length is None else start + fault.length
            name = f"{span.name}.{index}.{fault.kind}"
            provider = fault.on or fault.only_on or first_provider
            spans.append(FaultSpan(name, fault, provider, span.name, start, end))
    return tuple(spans)


def published(update: StatusUpdate, phases: Sequence[PhaseSpan]) -> float:
    """Scenario seconds at which an update of the status page can be read; it may be dated earlier."""
    return moment(update.at, phases) + update.typed


def moment(text: str, phases: Sequence[PhaseSpan]) -> float:
    """The second that "12m", "blackout" or "blackout+12m" means; KeyError with the name when there is no such phase.

    Phase names may contain a hyphen, so a whole phase name wins over an offset to a shorter one.
    """
    starts = {phase.name: phase.start for phase in phases}
    if text in starts:
        return starts[text]
    if match := _OFFSET.fullmatch(text):
        offset = parse_duration(match["offset"])
        return starts[match["phase"]] + (offset if match["sign"] == "+" else -offset)
    if text[:1].isdigit():
        return parse_duration(text)
    raise KeyError(text)
