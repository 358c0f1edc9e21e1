"""A scenario's timeline as rows over time: phases, faults, crowd, status page. A Timeline in, values out. Pure.

The time is cut into equal cells; a terminal draws a cell as one character, a page as a part of its width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mockbot.report.phrases import fault_text
from mockbot.scenario.timeline import StatusState, Timeline
from mockbot.units.formatting import format_count, format_rate

SAMPLES = 4  # in a cell, whose level is their mean: a fault that flaps within a cell is drawn lighter
SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Row:
    """`levels`: how much of it there is in each cell, 0..1."""

    kind: Literal["fault", "crowd"]
    label: str
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase: its sign in the drawing, its start and end in scenario seconds, and its users and arrivals in words."""

    sign: str
    name: str
    start: float
    end: float
    crowd: str


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One update of the status page, with its sign in the drawing."""

    sign: str
    t: float
    state: str
    says: str


def phases(timeline: Timeline) -> tuple[Stretch, ...]:
    """Every phase; the 53rd has the sign `a` again. A ramp has both its ends: "200 users", "3/s -> 5/s"."""
    result = []
    for n, span in enumerate(timeline.phases):
        first, last = timeline.at(span.start), timeline.at(span.start + (span.end - span.start) * 0.999)
        users = [sum(each.users.values()) for each in (first, last)]
        rates = [sum(each.arrivals.values()) for each in (first, last)]
        crowd = []
        if any(users):
            crowd.append(" -> ".join(dict.fromkeys(map(format_count, users))) + " users")
        if any(rates):
            crowd.append(" -> ".join(dict.fromkeys(map(format_rate, rates))))
        result.append(Stretch(SIGNS[n % len(SIGNS)], span.name, span.start, span.end, ", ".join(crowd)))
    return tuple(result)


def rows(timeline: Timeline, cells: int) -> tuple[Row, ...]:
    """A row for every fault, then one for users and one for arrivals where there are any."""
    samples = [timeline.at((n + 0.5) * timeline.end / (cells * SAMPLES)) for n in range(cells * SAMPLES)]
    result = []
    for span in timeline.faults:
        shares = [sum(active.share for active in now.faults if active.span.id == span.id) for now in samples]
        result.append(Row("fault", fault_text(span), _means(shares)))
    users = _means([sum(now.users.values()) for now in samples])
    arrivals = _means([sum(now.arrivals.values()) for now in samples])
    peak = sum(timeline.max_users().values())
    labels = (f"users, at most {peak}", f"arrivals, at most {format_rate(max(arrivals))}")
    for label, levels in zip(labels, (users, arrivals), strict=True):
        if most := max(levels):
            result.append(Row("crowd", label, tuple(level / most for level in levels)))
    return tuple(result)


def _means(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(sum(values[n : n + SAMPLES]) / SAMPLES for n in range(0, len(values), SAMPLES))


def status_updates(timeline: Timeline) -> tuple[StatusUpdate, ...]:
    """Every update of the status page, in order."""
    states = (timeline.at(t).status for t in timeline.changes())
    updates: dict[StatusState, None] = dict.fromkeys(state for state in states if state is not None)
    return tuple(
        StatusUpdate(SIGNS[n % len(SIGNS)].upper(), state.since, state.update.state, state.update.says)
        for n, state in enumerate(updates)
    )


def cell_of(t: float, timeline: Timeline, cells: int) -> int:
    """The index of the cell that `t` falls into."""
    return min(cells - 1, int(t / timeline.end * cells))
