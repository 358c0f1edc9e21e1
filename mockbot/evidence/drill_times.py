"""What a drill's participants noticed, against what was really wrong: notes and outages in, times out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

TOGETHER = 60.0  # scenario seconds between two faults up to which they are one outage


class DrillNote(NamedTuple):
    """A participant's note at a scenario second."""

    t: float
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class DrillOutage:
    """An outage (scenario seconds), and how long after its begin it was detected, mitigated, called over; None: not."""

    begin: float
    end: float
    detect: float | None
    mitigate: float | None
    called_over: float | None


@dataclass(frozen=True, slots=True)
class DrillResult:
    """Every outage, and the notes of a detection while nothing was wrong."""

    outages: tuple[DrillOutage, ...]
    false_alarms: tuple[DrillNote, ...]


def drill_result(faults: Sequence[tuple[float, float]], notes: Sequence[DrillNote]) -> DrillResult:
    """`faults`: begin and end of each. A note belongs to the last outage that had begun; before the first it is false.

    A detection is a false alarm when nothing was wrong at its time, unless it is the first one of the outage before.
    """
    spans: list[list[float]] = []
    for begin, end in sorted(faults):
        if spans and begin <= spans[-1][1] + TOGETHER:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([begin, end])
    outages, used = [], set[DrillNote]()
    for number, (begin, end) in enumerate(spans):
        until = spans[number + 1][0] if number + 1 < len(spans) else float("inf")
        first = {}
        for note in sorted(notes):
            if begin <= note.t < until and note.kind not in first:
                first[note.kind] = note
                used.add(note)
        after = {kind: note.t - begin for kind, note in first.items()}
        outages.append(DrillOutage(begin, end, after.get("detected"), after.get("mitigated"), after.get("over")))
    false = [
        note
        for note in notes
        if note.kind == "detected" and note not in used and not any(begin <= note.t < end for begin, end in spans)
    ]
    return DrillResult(tuple(outages), tuple(false))
