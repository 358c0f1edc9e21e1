"""A timeline and the driver's confirmed actions in, the disturbance and its baseline out. Pure.

The disturbance begins with the measured begin of the first fault and is clear at the measured end of the last. Without
a fault it is the surge: the phases with a larger crowd than the baseline's. The baseline is the first phase without a
fault, if it comes before the disturbance, less its warm-up; recovery is measured against the same run's baseline.
"""

from collections.abc import Sequence

from mockbot.evidence.records import Action
from mockbot.measures.counter_protocols import Disturbance
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.scenario.timeline import Timeline

WARM_UP_SHARE, WARM_UP_MOST = 0.25, 60.0  # of the baseline's phase, and in seconds
SURGE = 1.05  # times the baseline's crowd


def disturbance_of(timeline: Timeline, actions: Sequence[Action]) -> Disturbance:
    """By measured times where an action was confirmed, by planned times elsewhere."""
    faults = timeline.faults
    healthy = (p for p in timeline.phases if not any(f.start < p.end and f.end > p.start for f in faults))
    calm = next(healthy, None)
    spans = [(measured_begin(fault, actions), measured_end(fault, actions)) for fault in faults]
    if not spans and calm is not None:
        spans = _surges(timeline, calm)
    begin = min((start for start, _ in spans), default=None)
    clear = max((end for _, end in spans), default=None)
    if calm is None or (begin is not None and calm.start >= begin):
        return Disturbance(begin, clear, None)
    warm = calm.start + min(WARM_UP_MOST, WARM_UP_SHARE * (calm.end - calm.start))
    return Disturbance(begin, clear, (warm, calm.end))


def measured_begin(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's first begin was confirmed; when it was due if it never was."""
    return min(_confirmed("begin", fault, actions), default=fault.start)


def measured_end(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's last end was confirmed; when it was due if it never was."""
    return max(_confirmed("end", fault, actions), default=fault.end)


def _confirmed(does: str, fault: FaultSpan, actions: Sequence[Action]) -> list[float]:
    return [
        action.confirmed
        for action in actions
        if action.fault == fault.id and action.does == does and action.confirmed is not None
    ]


def _surges(timeline: Timeline, calm: PhaseSpan) -> list[tuple[float, float]]:
    """The phases with more users or more arrivals than the calm one, at their start or their end."""
    users, arrivals = _crowd(timeline, calm.end)
    spans = []
    for phase in timeline.phases:
        # `_crowd` looks just before its time, so the first of these is the start of the phase itself.
        crowds = (_crowd(timeline, phase.start + 1e-6), _crowd(timeline, phase.end))
        if any(now[0] > SURGE * users or now[1] > SURGE * arrivals for now in crowds):
            spans.append((phase.start, phase.end))
    return spans


def _crowd(timeline: Timeline, until: float) -> tuple[float, float]:
    """Users and arrivals per second just before `until`."""
    conditions = timeline.at(until - 1e-6)
    return sum(conditions.users.values()), sum(conditions.arrivals.values())
