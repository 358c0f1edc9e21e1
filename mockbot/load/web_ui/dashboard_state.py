"""What the web UI shows of a run: records in as they come, one JSON-able snapshot out. Pure.

It lives in the process that makes the load, so a look must be cheap: records are counted once, into buckets of
scenario time by when they started, and only the buckets that changed since the last look are computed anew.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from mockbot.evidence.records import OUTCOMES, Attempt, Progress, Prompt, Record, ServiceSecond
from mockbot.scenario.timeline import ActiveFault, PhaseSpan, Timeline

BUCKETS = 200  # points of a chart, at most
Json = dict[str, Any]  # goes to jsonify and nowhere else


def quantile(ordered: list[float], q: float) -> float | None:
    """Nearest rank; None of nothing."""
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else None


@dataclass(slots=True)
class Cell:
    """What happened in one stretch of time. `first` are first tokens, `latency` whole answers, scenario seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    prompts: int = 0
    good: int = 0
    first: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)

    def take(self, record: Attempt | Prompt, slo: float) -> None:
        """Count it."""
        if isinstance(record, Attempt):
            self.attempts += 1
            self.outcomes[record.outcome] += 1
            if record.first_token is not None:
                self.first.append(record.first_token)
            return
        self.prompts += 1
        if record.settled == "answered":
            took = record.end - record.intended
            self.latency.append(took)
            self.good += took <= slo

    def numbers(self) -> Json:
        """As a page draws them."""
        self.first.sort()
        self.latency.sort()
        return {
            "outcomes": dict(self.outcomes),
            "prompts": self.prompts,
            "good": self.good / self.prompts if self.prompts else None,
            "per_prompt": self.attempts / self.prompts if self.prompts else None,
            "first_p50": quantile(self.first, 0.5),
            "first_p95": quantile(self.first, 0.95),
            "latency_p50": quantile(self.latency, 0.5),
            "latency_p95": quantile(self.latency, 0.95),
        }


@dataclass(slots=True)
class Side:
    """What one provider saw in one stretch of time."""

    offered: int = 0
    admitted: int = 0
    refused: int = 0
    failed: int = 0
    running: int = 0
    queued: int = 0
    capacity: float = 0.0
    seconds: int = 0

    def take(self, second: ServiceSecond) -> None:
        """Count it; running, queued and capacity are sums over `seconds`."""
        for name in ("offered", "admitted", "refused", "failed", "running", "queued", "capacity"):
            setattr(self, name, getattr(self, name) + getattr(second, name))
        self.seconds += 1

    def numbers(self) -> Json:
        """Per scenario second. The wait in the queue is Little's: those who wait over those who are let in."""
        rate, queued = self.admitted / self.seconds, self.queued / self.seconds
        return {
            "offered": self.offered / self.seconds,
            "refused": (self.refused + self.failed) / self.seconds,
            "running": self.running / self.seconds,
            "queued": queued,
            "capacity": self.capacity / self.seconds,
            "wait": queued / rate if rate else None,
        }


class DashboardState:
    """One run. `verdict` and `error` are set when they are known."""

    def __init__(self, timeline: Timeline, speed: float, t0: float) -> None:
        self.verdict: Json | None = None
        self.error = ""
        self._timeline, self._speed, self._t0 = timeline, speed, t0
        self._slo = timeline.scenario.slo
        self._width = max(1, ceil(timeline.end / BUCKETS))
        self._cells: dict[int, Cell] = {}
        self._phases = {phase.name: Cell() for phase in timeline.phases}
        self._sides: dict[str, dict[int, Side]] = {name: {} for name in timeline.scenario.providers}
        self._numbers: dict[int, Json] = {}
        self._dirty: set[int] = set()
        self._progress: Progress | None = None

    def take(self, record: Record) -> None:
        """Count a record of any kind."""
        match record:
            case Attempt():
                self._count(record, record.start)
            case Prompt():
                self._count(record, record.intended)
            case ServiceSecond():
                sides = self._sides.setdefault(record.provider, {})
                sides.setdefault(record.t // self._width, Side()).take(record)
            case Progress():
                self._progress = record

    def snapshot(self, now: float) -> Json:
        """Everything, at scenario second `now`."""
        for bucket in self._dirty:
            self._numbers[bucket] = self._cells[bucket].numbers()
        self._dirty.clear()
        return {
            "head": self.head(now),
            "width": self._width,
            "outcomes": list(OUTCOMES),
            "points": [{"t": bucket * self._width, **self._numbers[bucket]} for bucket in sorted(self._numbers)],
            "providers": {
                name: [{"t": bucket * self._width, **sides[bucket].numbers()} for bucket in sorted(sides)]
                for name, sides in self._sides.items()
            },
            "phases": self.rows(),
            "expects": [expectation.model_dump(exclude_none=True) for expectation in self._timeline.scenario.expect],
        }

    def head(self, now: float) -> Json:
        """What the banner says, and what the bands over Locust's charts are drawn from."""
        timeline, moment = self._timeline, min(max(0.0, now), self._timeline.end)
        holds = timeline.at(moment)
        over = self.verdict is not None or bool(self.error)
        return {
            "scenario": timeline.scenario.name,
            "title": timeline.scenario.title,
            "state": "over" if over else ("ends" if now >= timeline.end else "runs"),
            "t": moment,
            "end": timeline.end,
            "t0": self._t0,
            "speed": self._speed,
            "phase": holds.phase,
            "wrong": [wrong_words(active) for active in holds.faults] if not over else [],
            "says": holds.status.update.says if holds.status else "",
            "users": self._progress.users if self._progress else 0,
            "pending": self._progress.pending if self._progress else 0,
            "success": self._progress.success if self._progress else None,
            "phases": [_span(phase, self._wrong_in(phase)) for phase in timeline.phases],
            "faults": [
                {"start": span.start, "end": span.end, "name": f"{span.fault.kind} on {span.provider}"}
                for span in timeline.faults
            ],
            "verdict": self.verdict,
            "error": self.error,
        }

    def rows(self) -> list[Json]:
        """A row for each phase, in order; numbered, because Locust's tables sort by the first column."""
        return [
            {
                "phase": f"{number}. {phase.name}",
                "wrong": ", ".join(self._wrong_in(phase)) or "nothing",
                "users": sum(self._timeline.at((phase.start + phase.end) / 2).users.values()),
                **self._phases[phase.name].numbers(),
            }
            for number, phase in enumerate(self._timeline.phases, 1)
        ]

    def _count(self, record: Attempt | Prompt, t: float) -> None:
        bucket = max(0, int(t // self._width))
        self._cells.setdefault(bucket, Cell()).take(record, self._slo)
        self._dirty.add(bucket)
        self._phases[self._timeline.phase_at(t).name].take(record, self._slo)

    def _wrong_in(self, phase: PhaseSpan) -> list[str]:
        spans = (span for span in self._timeline.faults if span.start < phase.end and span.end > phase.start)
        return list(dict.fromkeys(f"{span.fault.kind} on {span.provider}" for span in spans))


def wrong_words(active: ActiveFault) -> str:
    """For instance "http_error on main, 10%"."""
    share = "" if active.share >= 1 else f", {active.share:.0%}"
    return f"{active.span.fault.kind} on {active.span.provider}{share}"


def _span(phase: PhaseSpan, wrong: list[str]) -> Json:
    return {"name": phase.name, "start": phase.start, "end": phase.end, "wrong": wrong}
