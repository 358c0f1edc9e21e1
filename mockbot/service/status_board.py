"""What the status page has said so far: updates in, incidents, maintenances and component states out. Pure.

A page says only what the scenario tells it to, when it tells it to; that it is green while everything is down is how
real outages begin. Vocabulary: Statuspage v2 (incidents_and_clients.md §4.5). An incident begins with the first
update that is not an end and goes on to the one that is; `scheduled`, `in_progress` and `completed` make a
maintenance of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from mockbot.scenario.schema import StatusUpdate

Impact = Literal["none", "minor", "major", "critical", "maintenance"]
ENDS = ("resolved", "completed")
PLANNED = ("scheduled", "in_progress", "completed")
_COMPONENT = {
    "none": "operational",
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
    "maintenance": "under_maintenance",
}
_WORDS = {
    "none": "All Systems Operational",
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
    "maintenance": "Service Under Maintenance",
}
_SAYS = {
    "investigating": "We are currently investigating this issue.",
    "identified": "The issue has been identified and a fix is being implemented.",
    "monitoring": "A fix has been implemented and we are monitoring the results.",
    "resolved": "This incident has been resolved.",
    "scheduled": "We will be undergoing scheduled maintenance.",
    "in_progress": "Scheduled maintenance is currently in progress.",
    "completed": "The scheduled maintenance has been completed.",
}
_WORST: tuple[Impact, ...] = ("none", "maintenance", "minor", "major", "critical")


@dataclass(frozen=True, slots=True)
class PublishedUpdate:
    """One update as it was published, at Unix time `at`; `back`: the Unix time that it promises, if any."""

    at: float
    update: StatusUpdate
    impact: Impact
    back: float | None = None

    @property
    def words(self) -> str:
        """Its text; the usual phrase when the scenario gives none."""
        return self.update.says or _SAYS[self.update.state]


@dataclass(slots=True)
class Incident:
    """A stretch of updates that belong together."""

    number: int
    updates: list[PublishedUpdate] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What the latest update says."""
        return self.updates[-1].update.state

    @property
    def impact(self) -> Impact:
        """The worst so far."""
        return max((said.impact for said in self.updates), key=_WORST.index)

    @property
    def planned(self) -> bool:
        """A maintenance that was announced."""
        return self.updates[0].update.state in PLANNED

    @property
    def over(self) -> bool:
        """Resolved or completed."""
        return self.state in ENDS

    @property
    def provider(self) -> str | None:
        """Whom it concerns; None: everybody."""
        return self.updates[0].update.provider

    @property
    def name(self) -> str:
        """A title as operators write them."""
        if self.planned:
            return "Scheduled maintenance"
        kinds = {"critical": "Major outage", "major": "Elevated error rates", "minor": "Degraded performance"}
        return kinds.get(self.impact, "Service disruption")


class StatusBoard:
    """Everything said in this run. `speed`: scenario seconds per second, for the times that are promised."""

    def __init__(self, providers: Sequence[str], speed: float = 1.0) -> None:
        self.providers = tuple(providers)
        self._speed = speed
        self.incidents: list[Incident] = []
        self.began = 0.0

    def forget(self, began: float) -> None:
        """A new run begins at this Unix time."""
        self.incidents = []
        self.began = began

    def say(self, update: StatusUpdate, at: float) -> None:
        """Publish an update; saying the same again changes nothing."""
        current = self.incidents[-1] if self.incidents else None
        if current is not None and current.updates[-1].update == update:
            return
        if current is None or current.over:
            if update.state in ENDS:
                return
            current = Incident(len(self.incidents) + 1)
            self.incidents.append(current)
        back = None if update.back_in is None else at + update.back_in / self._speed
        current.updates.append(PublishedUpdate(at, update, _impact_of(update, current), back))

    @property
    def open(self) -> list[Incident]:
        """What is not over."""
        return [incident for incident in self.incidents if not incident.over]

    @property
    def indicator(self) -> Impact:
        """The page's one word."""
        return max((_now(incident) for incident in self.open), key=_WORST.index, default="none")

    @property
    def description(self) -> str:
        """The page's one sentence."""
        return _WORDS[self.indicator]

    def component(self, provider: str, at: float | None = None) -> str:
        """How a provider is said to be (to have been at Unix time `at`)."""
        worst: Impact = "none"
        for incident in self.incidents:
            if incident.provider not in (None, provider):
                continue
            said = [each for each in incident.updates if at is None or each.at <= at]
            if said and said[-1].update.state not in (*ENDS, "scheduled"):
                worst = max(worst, said[-1].impact, key=_WORST.index)
        return _COMPONENT[worst]


def _now(incident: Incident) -> Impact:
    return "none" if incident.state == "scheduled" else incident.updates[-1].impact


def _impact_of(update: StatusUpdate, incident: Incident) -> Impact:
    if update.impact is not None:
        return update.impact
    if update.state in PLANNED:
        return "maintenance"
    return incident.updates[-1].impact if incident.updates else "minor"
