"""What both engines share: when a run changes, and what a driver would have recorded, from a Timeline. Pure."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import nextafter

from mockbot.evidence.records import Action, Attempt, Prompt, ServiceSecond
from mockbot.scenario.timeline import ActiveFault, Conditions, Timeline

Record = Attempt | Prompt | ServiceSecond | Action
Sink = Callable[[Record], None]

STEP = 1.0  # scenario seconds between two steps of a ramp


def moments(timeline: Timeline) -> Iterator[float]:
    """Ascending: every change, and the steps of the users and of the wire's faults that ramp in between.

    A fault of the service needs no steps: it reads its ramp at each request (`mockbot.service.active_faults`).
    """
    changes = timeline.changes()
    for start, end in pairwise(changes):
        yield start
        now, later = timeline.at(start), timeline.at(nextafter(end, start))
        if now.users != later.users or _on_the_wire(now) != _on_the_wire(later):
            steps = int((end - start) / STEP - 1e-9)
            yield from (start + step * STEP for step in range(1, steps + 1))
    yield changes[-1]


def _on_the_wire(conditions: Conditions) -> tuple[ActiveFault, ...]:
    return tuple(active for active in conditions.faults if active.span.fault.layer == "wire")


def actions(timeline: Timeline) -> Iterator[Action]:
    """Every fault that begins and ends, and every change of the status page, exactly when it was due."""
    held: set[str] = set()
    status = None
    for t in timeline.changes():
        conditions = timeline.at(t)
        holds = {active.span.id for active in conditions.faults}
        yield from (Action(fault, "end", t, t, t) for fault in sorted(held - holds))
        yield from (Action(fault, "begin", t, t, t) for fault in sorted(holds - held))
        if conditions.status != status:
            yield Action("status_page", "change", t, t, t)
        held, status = holds, conditions.status
