"""The neutral form of an incident: points in time, each with what a source says of that moment. Pure.

Every platform is read into this form, the scenario is made of it, and it can be written by hand (platforms/neutral).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

State = Literal["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed"]
Level = Literal["operational", "maintenance", "degraded", "partial", "full"]
Source = Literal["impact", "component", "post"]  # the best first: of what was down, of a post's components, of a post
STATES: tuple[State, ...] = get_args(State)
LEVELS: tuple[Level, ...] = get_args(Level)  # the least first
SOURCES: tuple[Source, ...] = get_args(Source)
ENDS = ("resolved", "completed")
PLANNED = ("scheduled", "in_progress", "completed")
_LEVEL_WORDS: dict[str, Level] = {
    "operational": "operational", "available": "operational", "up": "operational", "ok": "operational",
    "none": "operational", "normal": "operational", "healthy": "operational",
    "degraded_performance": "degraded", "degraded": "degraded", "minor": "degraded", "low": "degraded",
    "service_information": "degraded", "slow": "degraded",
    "partial_outage": "partial", "partial": "partial", "major": "partial", "medium": "partial",
    "service_disruption": "partial", "disruption": "partial",
    "major_outage": "full", "full_outage": "full", "full": "full", "critical": "full", "high": "full",
    "service_outage": "full", "outage": "full", "down": "full",
    "under_maintenance": "maintenance", "maintenance": "maintenance", "service_under_maintenance": "maintenance",
}  # fmt: skip
_STATE_WORDS: dict[str, State] = {
    **{state: state for state in STATES},
    "update": "identified", "verifying": "in_progress", "mitigated": "monitoring", "recovering": "monitoring",
    "maintenance_scheduled": "scheduled", "maintenance_in_progress": "in_progress",
    "maintenance_complete": "completed", "maintenance_completed": "completed", "available": "resolved",
    "service_information": "identified", "service_disruption": "identified", "service_outage": "identified",
    "postmortem": "resolved",
}  # fmt: skip


class Point(NamedTuple):
    """One moment (`at`: Unix seconds) as a source has it; `source`: what kind of time that is."""

    at: float
    source: Source
    state: State | None = None  # of the incident
    component: str | None = None  # the one that `level` is of; None: all
    level: Level | None = None
    share: float | None = None  # of the requests that fail from then on, 0..1
    says: str = ""
    window: str = ""  # of a stretch with a begin and an end: which one, since those of a component may overlap


@dataclass(frozen=True, slots=True)
class Incident:
    """`label`: how bad the platform calls the whole; `components`: linked to it, hurt or not; `missing`: sentences."""

    id: str
    name: str
    points: tuple[Point, ...]
    label: Level | None = None
    components: tuple[str, ...] = ()
    url: str = ""
    missing: tuple[str, ...] = ()
    planned: tuple[float, float] | None = None  # of a maintenance: the announced window

    @property
    def posts(self) -> tuple[Point, ...]:
        """What the page said, in the order of time: none after the first end, no state twice in a row at one time."""
        found: list[Point] = []
        for point in sorted((each for each in self.points if each.state), key=lambda each: each.at):
            if found and found[-1].state == point.state and (found[-1].at == point.at or point.state == "scheduled"):
                continue
            found.append(point)
            if point.state in ENDS:
                break
        return tuple(found)

    @property
    def said(self) -> tuple[Point, ...]:
        """Every text, those of reports that came after the end too."""
        return tuple(each for each in sorted(self.points, key=lambda each: each.at) if each.says)

    @property
    def is_maintenance(self) -> bool:
        """Announced before it began, or called so."""
        return any(post.state in PLANNED for post in self.posts) or self.label == "maintenance"

    @property
    def begins(self) -> float | None:
        """The first time known; None when there is none."""
        return min((point.at for point in self.points), default=None)

    @property
    def ends(self) -> float | None:
        """The end on the page, else of the impact; None while it is open."""
        over = next((post.at for post in self.posts if post.state in ENDS), None)
        impacts = sorted((each for each in self.points if each.source == "impact"), key=lambda each: each.at)
        still = {(each.component, each.window): each.level for each in impacts}
        if over is None and impacts and set(still.values()) == {"operational"}:
            return impacts[-1].at
        return over

    def changes(self, components: tuple[str, ...]) -> Iterator[Point]:
        """The points with a level of these components, or of all, from the best source that has any."""
        hits = [each for each in self.points if each.level and (each.component is None or each.component in components)]
        best = min((SOURCES.index(each.source) for each in hits), default=None)
        yield from sorted((each for each in hits if SOURCES.index(each.source) == best), key=lambda each: each.at)


def level_of(word: str) -> Level | None:
    """A platform's word for how bad it is; None: not known."""
    return _LEVEL_WORDS.get(_key(word))


def state_of(word: str) -> State | None:
    """A platform's word for how far an incident is; None: not known."""
    return _STATE_WORDS.get(_key(word))


def _key(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_")
