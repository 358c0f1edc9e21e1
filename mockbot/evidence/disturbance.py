"""When it went wrong and when that was over: the measured begin of the first fault and end of the last, and the calm
before. Pure.

Without a fault it is the surge: the phases with a larger crowd than the baseline's. The baseline is the first phase
without a fault, if it comes before the disturbance, less its warm-up; measures of recovery compare the same run with
itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mockbot.evidence.records import Action
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.scenario.timeline import Timeline

WARM_UP_SHARE, WARM_UP_MOST = 0.25, 60.0  # of the baseline's phase, and in seconds
SURGE = 1.05  # times the baseline's crowd


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Scenario seconds. `begin` and `clear` are None when nothing went wrong, `baseline` without a calm before it."""

    begin: float | None
    clear: float | None
    baseline: tuple[float, float] | None


def disturbance_of(timeline: Timeline, actions: Sequence[Action]) -> Disturbance:
    """As measured where an action was confirmed, as planned elsewhere."""
    calm = next((phase for phase in timeline.phases if not _faulty(phase, timeline.faults)), None)
    spans = [_measured(fault, actions) for fault in timeline.faults] or _surges(timeline, calm)
    begin = min((start for start, _ in spans), default=None)
    clear = max((end for _, end in spans), default=None)
    before = calm is not None and (begin is None or calm.start < begin)
    return Disturbance(begin, clear, _warmed(calm) if calm is not None and before else None)


def measured_end(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's end was confirmed; when it was due if it never was."""
    ends = [
        action.confirmed
        for action in actions
        if action.fault == fault.id and action.does == "end" and action.confirmed is not None
    ]
    return max(ends, default=fault.end)


def measured_begin(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's first begin was confirmed; when it was due if it never was."""
    begins = [
        action.confirmed
        for action in actions
        if action.fault == fault.id and action.does == "begin" and action.confirmed is not None
    ]
    return min(begins, default=fault.start)


def _measured(fault: FaultSpan, actions: Sequence[Action]) -> tuple[float, float]:
    return measured_begin(fault, actions), measured_end(fault, actions)


def _faulty(phase: PhaseSpan, faults: Sequence[FaultSpan]) -> bool:
    return any(fault.start < phase.end and fault.end > phase.start for fault in faults)


def _warmed(phase: PhaseSpan) -> tuple[float, float]:
    return phase.start + min(WARM_UP_MOST, WARM_UP_SHARE * (phase.end - phase.start)), phase.end


def _surges(timeline: Timeline, calm: PhaseSpan | None) -> list[tuple[float, float]]:
    if calm is None:
        return []
    usual = _crowd(timeline, calm.end)
    return [
        (phase.start, phase.end)
        for phase in timeline.phases
        if any(_larger(_crowd(timeline, t), usual) for t in (phase.start + 1e-6, phase.end))
    ]


def _crowd(timeline: Timeline, until: float) -> tuple[float, float]:
    """Users and arrivals per second just before `until`."""
    conditions = timeline.at(until - 1e-6)
    return sum(conditions.users.values()), sum(conditions.arrivals.values())


def _larger(crowd: tuple[float, float], usual: tuple[float, float]) -> bool:
    return any(now > SURGE * before for now, before in zip(crowd, usual, strict=True))
