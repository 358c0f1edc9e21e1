"""Turn a Scenario into a Timeline: everything that is wrong at second t. Pure; owns every overlap rule.

Faults that hold at the same time all apply, in the order of the file. A phase that says no `users`, `arrivals` or `mix`
goes on with what the phase before it ended with. A total of users is split over the groups so that it is met exactly.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain

from mockbot.scenario.schema import Group, Phase, Scenario, StatusUpdate
from mockbot.scenario.spans import FaultSpan, PhaseSpan, fault_spans, flap_cycle, flap_edges, moment, phase_spans
from mockbot.units.quantities import Ramp

__all__ = ["ActiveFault", "Conditions", "FaultSpan", "PhaseSpan", "StatusState", "Timeline", "split"]


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that holds now, with the share (0..1) of requests or connections it hits now."""

    span: FaultSpan
    share: float
    times: int | None = None  # only the first so many requests that it would hit; set by hand, never by a scenario


@dataclass(frozen=True, slots=True)
class StatusState:
    """What a provider's status page says now."""

    since: float
    update: StatusUpdate


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds at second t."""

    t: float
    phase: str
    faults: tuple[ActiveFault, ...]
    users: Mapping[str, int]  # group -> number of users; closed groups only
    arrivals: Mapping[str, float]  # group -> prompts per second; open groups only
    status: StatusState | None

    def of(self, provider: str) -> tuple[ActiveFault, ...]:
        """The faults of one provider."""
        return tuple(active for active in self.faults if active.span.provider == provider)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Who is there during one phase: totals that may ramp, and the shares that split them."""

    users: Ramp
    arrivals: Ramp
    user_shares: Mapping[str, float]
    arrival_shares: Mapping[str, float]


class Timeline:
    """All of a scenario's time, as questions. Built once; every answer is a pure function of t."""

    scenario: Scenario
    phases: tuple[PhaseSpan, ...]
    faults: tuple[FaultSpan, ...]
    end: float

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.phases = phase_spans(scenario.phases)
        self.faults = fault_spans(scenario.phases, scenario.first_provider)
        self.end = self.phases[-1].end
        self._starts = tuple(phase.start for phase in self.phases)
        self._crowds = tuple(accumulate(scenario.phases, _next_crowd, initial=_nobody(scenario.crowd)))[1:]
        states = (StatusState(moment(update.at, self.phases), update) for update in scenario.status_page)
        self._states = tuple(sorted(states, key=lambda state: state.since))

    def at(self, t: float) -> Conditions:
        """What holds at t; before 0 the first moment, after the end the last phase without faults."""
        t = max(0.0, t)
        index = self._index(t)
        phase, crowd = self.phases[index], self._crowds[index]
        progress = (t - phase.start) / (phase.end - phase.start)
        arrivals = crowd.arrivals.at(progress)
        return Conditions(
            t=t,
            phase=phase.name,
            faults=tuple(_active(self.faults, t)) if t < self.end else (),
            users=split(round(crowd.users.at(progress)), crowd.user_shares),
            arrivals={group: arrivals * share for group, share in crowd.arrival_shares.items()},
            status=next((state for state in reversed(self._states) if state.since <= t), None),
        )

    def phase_at(self, t: float) -> PhaseSpan:
        """The phase that contains t (clamped to the first and last)."""
        return self.phases[self._index(t)]

    def changes(self) -> tuple[float, ...]:
        """The moments, ascending, at which the active faults, the phase or the status page change (ramps aside)."""
        faults = chain.from_iterable(_edges(span) for span in self.faults)
        status = (state.since for state in self._states)
        moments = {*self._starts, self.end, *faults, *status}
        return tuple(sorted(t for t in moments if 0 <= t <= self.end))

    def max_users(self) -> dict[str, int]:
        """The most users each closed group ever has."""
        closed = self._crowds[0].user_shares
        peaks = [split(round(total), crowd.user_shares) for crowd in self._crowds for total in _extremes(crowd)]
        return {group: max(peak[group] for peak in peaks) for group in closed}

    def _index(self, t: float) -> int:
        return max(0, bisect_right(self._starts, t) - 1)


def split(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """`total` people by shares that sum to 1, exactly.

    The Sainte-Lague method: unlike with the largest remainder, nobody leaves a group while the total grows.
    """
    people = {group: max(0, int(total * share) - len(shares)) for group, share in shares.items()}
    for _ in range(total - sum(people.values()) if shares else 0):
        people[max(people, key=lambda group: shares[group] / (2 * people[group] + 1))] += 1
    return people


def _nobody(crowd: Mapping[str, Group]) -> _Crowd:
    users = {name: group.users for name, group in crowd.items() if group.users is not None}
    arrivals = {name: group.arrivals for name, group in crowd.items() if group.arrivals is not None}
    return _Crowd(Ramp(0.0, 0.0), Ramp(0.0, 0.0), users, arrivals)


def _next_crowd(before: _Crowd, phase: Phase) -> _Crowd:
    return _Crowd(
        users=phase.users or _held(before.users),
        arrivals=phase.arrivals or _held(before.arrivals),
        user_shares=_mixed(before.user_shares, phase.mix or {}),
        arrival_shares=_mixed(before.arrival_shares, phase.mix or {}),
    )


def _held(ramp: Ramp) -> Ramp:
    return Ramp(ramp.last, ramp.last)


def _mixed(shares: Mapping[str, float], mix: Mapping[str, float]) -> Mapping[str, float]:
    """A mix that names one of these groups says the shares of all of them: those that it leaves out get nothing."""
    return {group: mix.get(group, 0.0) for group in shares} if shares.keys() & mix.keys() else shares


def _active(spans: Iterable[FaultSpan], t: float) -> Iterable[ActiveFault]:
    for span in spans:
        if span.start <= t < span.end and _is_on(span, t):
            yield ActiveFault(span, span.fault.share.at(span.progress(t)))


def _is_on(span: FaultSpan, t: float) -> bool:
    return span.fault.flap is None or t < flap_cycle(span.fault.flap, span.start, t)[1]


def _edges(span: FaultSpan) -> list[float]:
    flap = span.fault.flap
    return [span.start, span.end, *(flap_edges(flap, span.start, span.end) if flap else ())]


def _extremes(crowd: _Crowd) -> tuple[float, float]:
    return crowd.users.first, crowd.users.last
