"""The published state of the status page: updates in, incidents, maintenances and component states out. Pure.

The page publishes only the scenario's updates, at their times; real outages too begin with a green page. Vocabulary:
Statuspage v2 (incidents_and_clients.md §4.5). An incident begins with the first update that is not an end and goes on
to the one that is; `scheduled`, `in_progress` and `completed` make it a maintenance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mockbot.scenario.parts import ENDS
from mockbot.scenario.schema import StatusUpdate

Impact = Literal["none", "minor", "major", "critical", "maintenance"]
PLANNED = ("scheduled", "in_progress", "completed")
_STATES: Mapping[Impact, tuple[str, str]] = {  # impact, least first -> a component's state, the page's description
    "none": ("operational", "All Systems Operational"),
    "maintenance": ("under_maintenance", "Service Under Maintenance"),
    "minor": ("degraded_performance", "Partially Degraded Service"),
    "major": ("partial_outage", "Partial System Outage"),
    "critical": ("major_outage", "Major Service Outage"),
}
_WORST = list(_STATES)
_TEXTS = {
    "investigating": "We are currently investigating this issue.",
    "identified": "The issue has been identified and a fix is being implemented.",
    "monitoring": "A fix has been implemented and we are monitoring the results.",
    "resolved": "This incident has been resolved.",
    "scheduled": "We will be undergoing scheduled maintenance.",
    "in_progress": "Scheduled maintenance is currently in progress.",
    "completed": "The scheduled maintenance has been completed.",
}


@dataclass(frozen=True, slots=True)
class PublishedUpdate:
    """One update, published at Unix time `at`; `back`: the Unix time at which it announces the end, if any."""

    at: float
    update: StatusUpdate
    impact: Impact
    back: float | None = None
    typed: float = 0.0  # seconds after `at` at which it was entered

    @property
    def component_state(self) -> str:
        """The state of the components that it concerns, from then on."""
        return _STATES["none" if self.update.state in (*ENDS, "scheduled") else self.impact][0]

    @property
    def text(self) -> str:
        """The scenario's text, else Statuspage's default for the state."""
        return self.update.says or _TEXTS[self.update.state]


@dataclass(slots=True)
class Incident:
    """An incident or a maintenance: its updates, oldest first."""

    number: int
    updates: list[PublishedUpdate] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The state of the latest update."""
        return self.updates[-1].update.state

    @property
    def impact(self) -> Impact:
        """The worst so far."""
        return max((each.impact for each in self.updates), key=_WORST.index)

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
        """The provider that it concerns; None: all."""
        first = self.updates[0].update
        return None if self.updates[-1].update.page == "linked" else first.provider

    @property
    def name(self) -> str:
        """A title in the style of real status pages."""
        if self.planned:
            return "Scheduled maintenance"
        kinds = {"critical": "Major outage", "major": "Elevated error rates", "minor": "Degraded performance"}
        return kinds.get(self.impact, "Service disruption")


class StatusHistory:
    """All incidents of this run. `speed`: scenario seconds per second, for the announced end of a maintenance."""

    def __init__(self, providers: Sequence[str], speed: float = 1.0) -> None:
        self.providers = tuple(providers)
        self._speed = speed
        self.incidents: list[Incident] = []
        self.began = 0.0

    def forget(self, began: float) -> None:
        """A new run begins at this Unix time."""
        self.incidents = []
        self.began = began

    def publish(self, update: StatusUpdate, at: float) -> None:
        """Publish an update at a Unix time, dated as it says; a repeated one changes nothing."""
        current = self.incidents[-1] if self.incidents else None
        if current is not None and current.updates[-1].update == update:
            return
        if current is None or current.over:
            if update.state in ENDS:
                return
            current = Incident(len(self.incidents) + 1)
            self.incidents.append(current)
        back = None if update.back_in is None else at + update.back_in / self._speed
        before: Impact = current.updates[-1].impact if current.updates else "minor"
        impact = update.impact or ("maintenance" if update.state in PLANNED else before)
        typed = update.typed / self._speed
        current.updates.append(PublishedUpdate(at - typed, update, impact, back, typed))

    @property
    def misleads(self) -> str:
        """How the page misleads now, by the word of the scenario."""
        return self.incidents[-1].updates[-1].update.page if self.incidents else "as_written"

    @property
    def shown(self) -> list[Incident]:
        """The incidents and maintenances that the page admits; while it stays green, not the latest one."""
        return self.incidents[:-1] if self.misleads == "still_green" else self.incidents

    @property
    def open(self) -> list[Incident]:
        """Those of them that are not over."""
        return [incident for incident in self.shown if not incident.over]

    @property
    def indicator(self) -> Impact:
        """The worst impact that holds now."""
        holding = (each.updates[-1].impact for each in self.open if each.state != "scheduled")
        return max(holding, key=_WORST.index, default="none")

    @property
    def description(self) -> str:
        """The indicator as a sentence."""
        return _STATES[self.indicator][1]

    def component(self, provider: str, at: float | None = None) -> str:
        """The published state of a provider, now or at Unix time `at`."""
        worst: Impact = "none"
        for incident in self.shown:
            if incident.provider not in (None, provider):
                continue
            published = [each for each in incident.updates if at is None or each.at <= at]
            if published and published[-1].update.state not in (*ENDS, "scheduled"):
                worst = max(worst, published[-1].impact, key=_WORST.index)
        return _STATES[worst][0]
