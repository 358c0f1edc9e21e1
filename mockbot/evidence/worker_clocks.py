"""The clocks of the workers on other machines in, out whether the times of their records are those of the run. Pure."""

from collections.abc import Sequence

from mockbot.evidence.records import WorkerClock
from mockbot.evidence.validity import Problem
from mockbot.units.formatting import format_counted, format_wall

BOUND = 0.05  # wall seconds by which a clock may be wrong; a load generator that is later than that is late, too
REMEDY = "let both machines keep time with the same server, near each other, and run again"


def clock_problem(clocks: Sequence[WorkerClock]) -> Problem | None:
    """The first clock that cannot be trusted, and what to do; None when all can.

    A drift counts as far as it is certain: beyond what both readings may be wrong by.
    """
    for clock in clocks:
        if clock.used is None:
            return Problem(f"the clock of {clock.node} was not measured before the load began", REMEDY)
        if clock.used.within > BOUND:
            within = format_wall(clock.used.within)
            found = f"the clock of {clock.node} is known only to {within}: the way to the master is slow"
            return Problem(found, REMEDY)
        if clock.last is not None:
            drift, known = abs(clock.last.offset - clock.used.offset), clock.used.within + clock.last.within
            if drift - known > BOUND:
                drifted = f"drifted {format_wall(drift)} from the master's during the run, give or take"
                return Problem(f"the clock of {clock.node} {drifted} {format_wall(known)}", REMEDY)
    return None


def clocks_in_words(clocks: Sequence[WorkerClock]) -> str:
    """How well they are known, and how far they drifted."""
    readings = [(clock.used, clock.last) for clock in clocks]
    within = max((used.within for used, _ in readings if used is not None), default=0.0)
    drift = max((abs(last.offset - used.offset) for used, last in readings if used and last), default=0.0)
    known = f"known to {format_wall(within)}, and drifted {format_wall(drift)} at most"
    return f"{format_counted(len(clocks), 'clock')} of workers on other machines: {known}"
