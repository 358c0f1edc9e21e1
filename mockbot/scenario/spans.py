"""Turn phases, and what is said relative to them, into spans on the scenario's clock. Pure arithmetic."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mockbot.faults.union import FaultBase, Flap
from mockbot.scenario.parts import Phase
from mockbot.units.quantities import parse_duration

_OFFSET = re.compile(r"(?P<phase>.+?) *(?P<sign>[+-]) *(?P<offset>[\d.]+(?:ms|h|m|s)[\d.hms]*)")


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase on the scenario's clock: `start <= t < end`, seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault on the scenario's clock. `id` is `<phase>.<index in the phase>.<kind>`: `blackout.0.http_error`."""

    id: str
    fault: FaultBase
    provider: str
    phase: str
    start: float
    end: float

    def progress(self, t: float) -> float:
        """How far into its span t is, 0..1: what every ramp of the fault follows."""
        return min(1.0, max(0.0, (t - self.start) / (self.end - self.start)))


def phase_spans(phases: Sequence[Phase]) -> tuple[PhaseSpan, ...]:
    """One phase after the other, from 0."""
    spans: list[PhaseSpan] = []
    for phase in phases:
        start = spans[-1].end if spans else 0.0
        spans.append(PhaseSpan(phase.name, start, start + phase.lasts))
    return tuple(spans)


def fault_spans(phases: Sequence[Phase], first_provider: str) -> tuple[FaultSpan, ...]:
    """Every fault from when to when, in the order of the file."""
    return tuple(
        _fault_span(fault, f"{span.name}.{index}.{fault.kind}", span, first_provider)
        for phase, span in zip(phases, phase_spans(phases), strict=True)
        for index, fault in enumerate(phase.faults)
    )


def _fault_span(fault: FaultBase, name: str, phase: PhaseSpan, first_provider: str) -> FaultSpan:
    start = phase.start + fault.at
    end = phase.end if fault.lasts is None else start + fault.lasts
    return FaultSpan(name, fault, fault.on or first_provider, phase.name, start, end)


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


def flap_cycle(flap: Flap, start: float, t: float) -> tuple[float, float]:
    """(on, off): the cycle that holds t >= start is on for `on <= t < off`; the very floats that `flap_edges` lists."""
    cycle = int((t - start) / flap.period)
    cycle += (_on(flap, start, cycle + 1) <= t) - (_on(flap, start, cycle) > t)  # a division may round over an edge
    on = _on(flap, start, cycle)
    return on, on + flap.duty * flap.period


def flap_edges(flap: Flap, start: float, end: float) -> list[float]:
    """All moments before `end` at which it goes on or off."""
    cycles = range(int((end - start) / flap.period) + 1)
    edges = (edge for cycle in cycles for edge in flap_cycle(flap, start, _on(flap, start, cycle)))
    return [edge for edge in edges if edge < end]


def _on(flap: Flap, start: float, cycle: int) -> float:
    return start + cycle * flap.period
