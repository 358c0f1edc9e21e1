"""The web UI's data of a run: records in as they come, one JSON-able snapshot out. Pure.

It lives in the process that makes the load, so a snapshot must be cheap: each record is counted once, into the bucket
of scenario time in which it began, and only buckets that changed since the last snapshot are computed anew.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from mockbot.evidence.records import OUTCOMES, Attempt, Progress, Prompt, Record, ServiceSecond
from mockbot.load.web_ui.watching import LATELY, LATELY_WALL, GroupNow, coming, fault_name, wrong_since
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_duration, format_number, format_share
from mockbot.units.rank import nearest_rank

BUCKETS = 200  # points of a chart, at most: about one per 4 px of a chart on a laptop
Json = dict[str, Any]  # goes to jsonify and nowhere else
COLUMNS = {  # of the table of phases: key -> title
    "phase": "Phase",
    "wrong": "What is wrong",
    "users": "Users",
    "prompts": "Prompts",
    "good": "Good",
    "latency_p50": "Answer p50",
    "latency_p95": "Answer p95",
    "first_p50": "First token p50",
    "per_prompt": "Attempts per prompt",
    "failures": "Failures",
}
SYSTEM_COLUMNS = {"users_saw": "Users saw", "providers_saw": "Providers saw"}  # of a run with a system under test
BothSides = Callable[[], Mapping[str, tuple[str, str]]]  # phase -> what users and providers saw, in words


def _seconds(value: float) -> str:
    return "never" if value == math.inf else format_duration(value)


FORMATS: dict[str, Callable[[float], str]] = {
    "good": format_share,
    "latency_p50": _seconds,
    "latency_p95": _seconds,
    "first_p50": _seconds,
    "per_prompt": format_number,
}


@dataclass(slots=True)
class Bucket:
    """What clients observed in one stretch of time.

    `first` (tokens) and `latency` (answers) in scenario seconds; a prompt that was not answered took infinitely long.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    prompts: int = 0
    good: int = 0
    first: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)

    def count(self, record: Attempt | Prompt, slo: float) -> None:
        """Add a record; good is answered within `slo` of the intended start."""
        if isinstance(record, Attempt):
            self.attempts += 1
            self.outcomes[record.outcome] += 1
            if record.first_token is not None:
                self.first.append(record.first_token)
            return
        self.prompts += 1
        took = record.end - record.intended if record.settled == "answered" else math.inf
        self.latency.append(took)
        self.good += took <= slo

    def as_json(self, overdue: int) -> Json:
        """One point of the charts, or the figures of one row; `overdue` prompts of that time should have been answered.

        A percentile is infinite when too many prompts were not answered.
        """
        self.first.sort()
        latency, prompts = [*sorted(self.latency), *[math.inf] * overdue], self.prompts + overdue
        return {
            "outcomes": dict(self.outcomes),
            "prompts": prompts,
            "good": self.good / prompts if prompts else None,
            "per_prompt": self.attempts / prompts if prompts else None,
            "first_p50": nearest_rank(self.first, 0.5),
            "first_p95": nearest_rank(self.first, 0.95),
            "latency_p50": nearest_rank(latency, 0.5),
            "latency_p95": nearest_rank(latency, 0.95),
        }


@dataclass(slots=True)
class ProviderBucket:
    """What one provider counted in one stretch of time of so many `seconds`."""

    sums: Counter[str] = field(default_factory=Counter)
    seconds: int = 0

    def count(self, second: ServiceSecond) -> None:
        """Add a second."""
        for name in ("offered", "admitted", "refused", "failed", "running", "queued"):
            self.sums[name] += getattr(second, name)
        self.seconds += 1

    def as_json(self) -> Json:
        """Means per scenario second. `wait` in the queue by Little's law: mean queue length over admission rate."""
        sums = self.sums
        return {
            "offered": sums["offered"] / self.seconds,
            "refused": (sums["refused"] + sums["failed"]) / self.seconds,
            "running": sums["running"] / self.seconds,
            "queued": sums["queued"] / self.seconds,
            "wait": sums["queued"] / sums["admitted"] if sums["admitted"] else None,
        }


class DashboardState:
    """One run. The owner sets `verdict` and `error` once they are known."""

    def __init__(self, timeline: Timeline, speed: float, t0: float, both_sides: BothSides | None = None) -> None:
        """`both_sides`: of a run with a system under test."""
        self.verdict: Json | None = None
        self.error = ""
        self._timeline, self._speed, self._t0 = timeline, speed, t0
        self._both_sides = both_sides
        self._columns = COLUMNS if both_sides is None else COLUMNS | SYSTEM_COLUMNS
        self._slo = timeline.scenario.slo
        self._width = max(1, ceil(timeline.end / BUCKETS))
        self._buckets: dict[int, Bucket] = {}
        self._phases = {phase.name: Bucket() for phase in timeline.phases}
        self._groups = {name: GroupNow() for name in timeline.scenario.crowd}
        self._status = timeline.scenario.status_page
        self._providers: dict[str, dict[int, ProviderBucket]] = {name: {} for name in timeline.scenario.providers}
        self._points: dict[int, Json] = {}
        self._changed: set[int] = set()
        self._progress: Progress | None = None
        self._overdue: dict[int, int] = {}  # second of `intended` -> prompts, as the last Progress said

    def take(self, record: Record) -> None:
        """Count a record of any kind."""
        match record:
            case Attempt():
                self._count(record, record.start)
            case Prompt():
                self._count(record, record.intended)
            case ServiceSecond():
                buckets = self._providers.setdefault(record.provider, {})
                buckets.setdefault(record.t // self._width, ProviderBucket()).count(record)
            case Progress():
                self._changed.update(second // self._width for second in (*self._overdue, *record.overdue))
                self._progress, self._overdue = record, record.overdue

    def snapshot(self, now: float) -> Json:
        """Everything that the dashboard draws, at scenario second `now`."""
        # A record may come late for an old bucket (a prompt counts when it began), so any bucket may change.
        late = Counter[int]()
        for second, count in self._overdue.items():
            late[second // self._width] += count
        for bucket in self._changed:
            point = self._buckets.setdefault(bucket, Bucket()).as_json(late[bucket])
            self._points[bucket] = {key: None if value == math.inf else value for key, value in point.items()}
        self._changed.clear()
        return {
            "head": self.head(now),
            "width": self._width,
            "outcomes": list(OUTCOMES),
            "points": [
                {"t": bucket * self._width, "clock": format_clock(bucket * self._width), **self._points[bucket]}
                for bucket in sorted(self._points)
            ],
            "providers": {
                name: [{"t": bucket * self._width, **buckets[bucket].as_json()} for bucket in sorted(buckets)]
                for name, buckets in self._providers.items()
            },
            "columns": list(self._columns.items()),  # pairs, because Flask sorts the keys of an object
            "phases": self.phase_texts(),
        }

    def head(self, now: float) -> Json:
        """What the banner shows, and what the bands over Locust's charts are drawn from."""
        timeline, moment = self._timeline, min(max(0.0, now), self._timeline.end)
        conditions = timeline.at(moment)
        over = self.verdict is not None or bool(self.error)
        faults = [
            fault_name(active.span) + ("" if active.share >= 1 else f", {format_share(active.share)}")
            for active in conditions.faults
        ]
        return {
            "scenario": timeline.scenario.name,
            "title": timeline.scenario.title,
            "state": "over" if over else ("ends" if now >= timeline.end else "runs"),
            "t": moment,
            "end": timeline.end,
            "t0": self._t0,
            "speed": self._speed,
            "phase": conditions.phase,
            "clock": f"{format_clock(moment)} of {format_clock(timeline.end)}",
            "ticks": [{"t": t, "text": format_clock(t)} for t in (quarter * timeline.end / 4 for quarter in range(5))],
            "wrong": [] if over else faults,
            "says": conditions.status.update.says if conditions.status else "",
            **self._watched(moment, over=over),
            "users": self._progress.users if self._progress else 0,
            "pending": self._progress.pending if self._progress else 0,
            "phases": [{"name": phase.name, "start": phase.start, "end": phase.end} for phase in timeline.phases],
            "faults": [{"start": span.start, "end": span.end, "name": fault_name(span)} for span in timeline.faults],
            "verdict": self.verdict,
            "error": self.error,
        }

    def _watched(self, now: float, *, over: bool) -> Json:
        """What the first screen of the page shows, as text."""
        since = None if over else wrong_since(self._timeline, now)
        status = self._timeline.at(now).status
        lately = max(LATELY, LATELY_WALL * self._speed)
        said = f"{status.update.state}, since {format_clock(status.since)}" if status else "nothing"
        return {
            "wrong_for": "" if since is None else f"for {format_duration(now - since)}, since {format_clock(since)}",
            "status": said if self._status else "there is no status page",
            "coming": [] if over else coming(self._timeline, now),
            "lately": format_duration(lately),
            "groups": [group.texts(name, now, lately, self._slo) for name, group in self._groups.items()],
        }

    def phase_rows(self) -> list[Json]:
        """A row for each phase, in order; numbered, because Locust's tables sort by the first column."""
        rows: list[Json] = []
        for number, phase in enumerate(self._timeline.phases, 1):
            spans = [span for span in self._timeline.faults if span.start < phase.end and span.end > phase.start]
            faults = dict.fromkeys(map(fault_name, spans))
            overdue = sum(count for second, count in self._overdue.items() if phase.start <= second < phase.end)
            rows.append(
                {
                    "phase": f"{number}. {phase.name}",
                    "wrong": ", ".join(faults) or "no fault",
                    "users": sum(self._timeline.at((phase.start + phase.end) / 2).users.values()),
                    **self._phases[phase.name].as_json(overdue),
                }
            )
        return rows

    def phase_texts(self) -> list[dict[str, str]]:
        """The same rows as text, by the keys of the columns; blank where a figure is unknown."""
        rows, saw = self.phase_rows(), {} if self._both_sides is None else self._both_sides()
        for row, phase in zip(rows, self._timeline.phases, strict=True):
            row["users_saw"], row["providers_saw"] = saw.get(phase.name, ("", ""))
            outcomes = Counter[str](row["outcomes"]).most_common()
            row["failures"] = ", ".join(f"{count} {name}" for name, count in outcomes if name != "ok")
            row |= {key: "" if row[key] is None else form(row[key]) for key, form in FORMATS.items()}
        return [{key: str(row[key]) for key in self._columns} for row in rows]

    def _count(self, record: Attempt | Prompt, t: float) -> None:
        bucket = max(0, int(t // self._width))
        self._buckets.setdefault(bucket, Bucket()).count(record, self._slo)
        self._changed.add(bucket)
        self._phases[self._timeline.phase_at(t).name].count(record, self._slo)
        self._groups.setdefault(record.group, GroupNow()).count(record, self._slo)


@dataclass(slots=True)
class View:
    """What the web UI shows of this process: `state` is that of the current run, or of the last one."""

    state: DashboardState | None = None
    report: Path | None = None  # of the last run, once it is judged
    opening: bool = False  # a run is being prepared, of which Locust knows nothing yet
