"""What both engines share: the moments at which a run changes, the actions that a driver would have recorded, the last
moment; each from a Timeline. Pure.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

from mockbot.evidence.records import Action, Attempt, Prompt, ServiceSecond
from mockbot.scenario.timeline import Timeline

Record = Attempt | Prompt | ServiceSecond | Action
Sink = Callable[[Record], None]

STEP = 1.0  # scenario seconds between two steps of a ramp
DRAIN = 120.0  # the most that prompts under way get after the end, as live


def latest(timeline: Timeline) -> float:
    """The last moment of a run: no prompt begins after the timeline's end, and earlier ones have their patience."""
    return timeline.end + min(DRAIN, max(group.patience for group in timeline.scenario.crowd.values()))


def moments(timeline: Timeline) -> Iterator[float]:
    """Ascending: every change, and the steps of what ramps in between."""
    changes = timeline.changes()
    for start, end in pairwise(changes):
        yield start
        now, later = timeline.at(start), timeline.at((start + end) / 2)
        if now.users != later.users or now.faults != later.faults:
            steps = int((end - start) / STEP - 1e-9)
            yield from (start + step * STEP for step in range(1, steps + 1))
    yield changes[-1]


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
