"""What a watcher of an outage needs at a glance: since when it is wrong, which groups suffer, what is coming. Pure.

A group is judged by what ended lately and by the time since its last good answer, because prompts that still wait have
no record yet: a share of the settled ones alone would look well while everybody waits.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from mockbot.evidence.records import Attempt, Prompt
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_duration, format_share

LATELY = 30.0  # scenario seconds, and at least LATELY_WALL of the wall clock
LATELY_WALL = 5.0
SUFFERS = 0.5  # share of failed requests from which a group without a good answer for longer than the slo suffers
NEXT = 3  # changes that are told ahead


def fault_name(span: FaultSpan) -> str:
    """ "http_error on main", "http_error on replica 2 of main"."""
    return f"{span.fault.kind} on {span.where}"


@dataclass(slots=True)
class GroupNow:
    """One group: ends of its requests lately with whether each failed, and what was settled so far."""

    ends: deque[tuple[float, bool]] = field(default_factory=deque)
    last_good: float | None = None
    prompts: int = 0
    good: int = 0

    def count(self, record: Attempt | Prompt, slo: float) -> None:
        """Add a record; good is answered within `slo` of the intended start."""
        if isinstance(record, Attempt):
            self.ends.append((record.end, record.outcome != "ok"))
            return
        self.prompts += 1
        if record.settled == "answered" and record.end - record.intended <= slo:
            self.good += 1
            self.last_good = max(record.end, self.last_good or 0.0)

    def texts(self, group: str, now: float, lately: float, slo: float) -> dict[str, Any]:
        """A row for the page, at scenario second `now`."""
        while self.ends and self.ends[0][0] < now - lately:
            self.ends.popleft()
        failed = sum(failed for _, failed in self.ends)
        failing = failed / len(self.ends) if self.ends else None
        silent = now - (self.last_good or 0.0)
        asked = bool(self.ends or self.prompts)
        return {
            "group": group,
            "failing": "-" if failing is None else format_share(failing),
            "last_good": "none yet" if self.last_good is None else f"{format_duration(max(0.0, silent))} ago",
            "good": format_share(self.good / self.prompts) if self.prompts else "-",
            "suffers": asked and silent > slo and (failing is None or failing >= SUFFERS),
        }


def wrong_since(timeline: Timeline, now: float) -> float | None:
    """The begin of the unbroken stretch of faults that `now` is in; None when no fault is scheduled now."""
    begin: float | None = None
    for span in sorted(timeline.faults, key=lambda each: each.start, reverse=True):
        if (span.start <= now < span.end) if begin is None else begin <= span.end:
            begin = span.start
    return begin


def coming(timeline: Timeline, now: float) -> list[str]:
    """The next changes: "in 45s (2:30): phase return; http_error on main ends"."""
    changes: dict[float, list[str]] = {}
    for phase in timeline.phases:
        changes.setdefault(phase.start, []).append(f"phase {phase.name}")
    for span in timeline.faults:
        changes.setdefault(span.start, []).append(f"{fault_name(span)} begins")
        changes.setdefault(span.end, []).append(f"{fault_name(span)} ends")
    for t in timeline.changes():
        status = timeline.at(t).status
        if status is not None and status.since == t:
            changes.setdefault(t, []).append(f"status page: {status.update.state}")
    changes.setdefault(timeline.end, []).append("the end")
    ahead = sorted(t for t in changes if now < t <= timeline.end)[:NEXT]
    return [f"in {format_duration(t - now)} ({format_clock(t)}): {'; '.join(changes[t])}" for t in ahead]
