"""A scenario's timeline as rows over time: phases, faults, crowd, status page. A Timeline in, values out. Pure.

Each row is looked at in the middle of equal cells, so that a terminal draws a cell as a character and a page as a
stretch of its width.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mockbot.report.words import fault_words
from mockbot.scenario.timeline import Conditions, StatusState, Timeline
from mockbot.units.quantities import count_text

LOOKS = 4  # in a cell; what flaps faster than that shows as a grey
SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Row:
    """`levels`: how much of it there is in each cell, 0..1."""

    kind: Literal["fault", "crowd"]
    label: str
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase: its sign in the drawing, when it is, and how many there are."""

    sign: str
    name: str
    start: float
    end: float
    crowd: str


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What the status page says, with its sign in the drawing."""

    sign: str
    t: float
    state: str
    says: str


def phases(timeline: Timeline) -> tuple[Stretch, ...]:
    """Every phase; more than there are letters begin at `a` again."""
    return tuple(
        Stretch(SIGNS[n % len(SIGNS)], span.name, span.start, span.end, _crowd(timeline, span.start, span.end))
        for n, span in enumerate(timeline.phases)
    )


def rows(timeline: Timeline, cells: int) -> tuple[Row, ...]:
    """A row for every fault, then one for users and one for arrivals where there are any."""
    looks = [timeline.at((n + 0.5) * timeline.end / (cells * LOOKS)) for n in range(cells * LOOKS)]
    faults = (Row("fault", fault_words(span), _cells(looks, _share(span.id))) for span in timeline.faults)
    return (*faults, *_people(timeline, looks))


def status_updates(timeline: Timeline) -> tuple[StatusUpdate, ...]:
    """All that the status page says, in its order."""
    states = (timeline.at(t).status for t in timeline.changes())
    said: dict[StatusState, None] = dict.fromkeys(state for state in states if state is not None)
    return tuple(
        StatusUpdate(SIGNS[n % len(SIGNS)].upper(), state.since, state.update.state, state.update.says)
        for n, state in enumerate(said)
    )


def cell_of(t: float, timeline: Timeline, cells: int) -> int:
    """The cell that a moment falls into."""
    return min(cells - 1, int(t / timeline.end * cells))


def _people(timeline: Timeline, looks: Sequence[Conditions]) -> Iterator[Row]:
    users = _cells(looks, lambda now: float(sum(now.users.values())))
    arrivals = _cells(looks, lambda now: sum(now.arrivals.values()))
    peak = sum(timeline.max_users().values())
    if most := max(users):
        yield Row("crowd", f"users, at most {peak}", tuple(level / most for level in users))
    if most := max(arrivals):
        yield Row("crowd", f"arrivals, at most {most:.3g}/s", tuple(level / most for level in arrivals))


def _share(fault: str) -> Callable[[Conditions], float]:
    return lambda now: next((active.share for active in now.faults if active.span.id == fault), 0.0)


def _cells(looks: Sequence[Conditions], take: Callable[[Conditions], float]) -> tuple[float, ...]:
    found = [take(now) for now in looks]
    return tuple(sum(found[n : n + LOOKS]) / LOOKS for n in range(0, len(found), LOOKS))


def _crowd(timeline: Timeline, start: float, end: float) -> str:
    first, last = timeline.at(start), timeline.at(start + (end - start) * 0.999)
    said = [
        _ramp(sum(first.users.values()), sum(last.users.values()), count_text, " users"),
        _ramp(sum(first.arrivals.values()), sum(last.arrivals.values()), lambda rate: f"{rate:.3g}", "/s"),
    ]
    return ", ".join(filter(None, said))


def _ramp(first: float, last: float, text: Callable[[float], str], unit: str) -> str:
    if not first and not last:
        return ""
    return f"{text(first)}{unit}" if text(first) == text(last) else f"{text(first)} -> {text(last)}{unit}"
