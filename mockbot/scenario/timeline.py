"""Turn a Scenario into a Timeline: everything that is wrong at second t. Pure; owns every overlap rule.

Faults that hold at the same time all apply, in the order of the file. A phase without `users`, `arrivals` or `mix` goes
on with those that the phase before it ended with. A total of users is split over the groups so that it is met exactly.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mockbot.scenario.schema import Scenario, StatusUpdate
from mockbot.scenario.spans import FaultSpan, PhaseSpan, fault_spans, phase_spans, published
from mockbot.units.quantities import Ramp

DRAIN = 120.0  # scenario seconds; the most that prompts under way get after the end

__all__ = ["ActiveFault", "Conditions", "FaultSpan", "PhaseSpan", "StatusState", "Timeline", "split"]


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that holds now, with the share (0..1) of requests or connections it hits now."""

    span: FaultSpan
    share: float
    times: int | None = None  # only this many requests; set by a manual fault, never by a scenario


@dataclass(frozen=True, slots=True)
class StatusState:
    """What a provider's status page shows now, and since when."""

    since: float
    update: StatusUpdate

    @property
    def unknown(self) -> bool:
        """The page cannot be read: neither that all is well nor that anything is wrong."""
        return self.update.page in {"empty", "moved"}


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
    """The clients during one phase: totals that may ramp, and the shares that split them."""

    users: Ramp
    arrivals: Ramp
    user_shares: Mapping[str, float]
    arrival_shares: Mapping[str, float]


class Timeline:
    """All of a scenario's time, as questions. Built once; every answer is a pure function of t."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.phases = phase_spans(scenario.phases)
        self.faults = fault_spans(scenario.phases, scenario.first_provider)
        self.end = self.phases[-1].end
        self._starts = tuple(phase.start for phase in self.phases)
        self._crowds = tuple(_crowds(scenario))
        states = (StatusState(published(update, self.phases), update) for update in scenario.status_page)
        self._states = tuple(sorted(states, key=lambda state: state.since))

    def at(self, t: float) -> Conditions:
        """What holds at t; before 0 the first moment, after the end the last phase without faults."""
        t = max(0.0, t)
        index = self._index(t)
        phase, crowd = self.phases[index], self._crowds[index]
        progress = (t - phase.start) / (phase.end - phase.start)
        arrivals = crowd.arrivals.at(progress)
        # The last span may end a rounding error after the scenario.
        holding = [span for span in self.faults if t < self.end and span.holds(t)]
        return Conditions(
            t=t,
            phase=phase.name,
            faults=tuple(ActiveFault(span, span.fault.share.at(span.progress(t))) for span in holding),
            users=split(round(crowd.users.at(progress)), crowd.user_shares),
            arrivals={group: arrivals * share for group, share in crowd.arrival_shares.items()},
            status=next((state for state in reversed(self._states) if state.since <= t), None),
        )

    def phase_at(self, t: float) -> PhaseSpan:
        """The phase that contains t (clamped to the first and last)."""
        return self.phases[self._index(t)]

    def changes(self) -> tuple[float, ...]:
        """The moments, ascending, at which the active faults, the phase or the status page change (ramps aside)."""
        faults = (edge for span in self.faults for edge in span.edges())
        moments = {*self._starts, self.end, *faults, *(state.since for state in self._states)}
        return tuple(sorted(t for t in moments if 0 <= t <= self.end))

    @property
    def latest(self) -> float:
        """The last moment of a run: no prompt begins after `end`, and earlier ones have their patience, or DRAIN."""
        return self.end + min(DRAIN, max(group.patience for group in self.scenario.crowd.values()))

    def max_users(self) -> dict[str, int]:
        """The most users each closed group ever has."""
        ends = ((crowd, total) for crowd in self._crowds for total in (crowd.users.first, crowd.users.last))
        peaks = [split(round(total), crowd.user_shares) for crowd, total in ends]
        return {group: max(peak[group] for peak in peaks) for group in self._crowds[0].user_shares}

    def _index(self, t: float) -> int:
        return max(0, bisect_right(self._starts, t) - 1)


def split(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """`total` users by shares that sum to 1, exactly.

    The Sainte-Lague method: unlike with the largest remainder, no group shrinks while the total grows.
    """
    # It begins a little below the exact quotas: from 0 it would take a step for every user.
    users = {group: max(0, int(total * share) - len(shares)) for group, share in shares.items()}
    for _ in range(total - sum(users.values()) if shares else 0):
        users[max(users, key=lambda group: shares[group] / (2 * users[group] + 1))] += 1
    return users


def _crowds(scenario: Scenario) -> Iterator[_Crowd]:
    """The crowd of each phase; what a phase does not give stays as it was at the end of the phase before it."""
    user_shares = {name: group.users for name, group in scenario.crowd.items() if group.users is not None}
    arrival_shares = {name: group.arrivals for name, group in scenario.crowd.items() if group.arrivals is not None}
    users = arrivals = Ramp(0.0, 0.0)
    for phase in scenario.phases:
        users = phase.users or Ramp(users.last, users.last)
        arrivals = phase.arrivals or Ramp(arrivals.last, arrivals.last)
        user_shares = _mixed(user_shares, phase.mix or {})
        arrival_shares = _mixed(arrival_shares, phase.mix or {})
        yield _Crowd(users, arrivals, user_shares, arrival_shares)


def _mixed(shares: dict[str, float], mix: Mapping[str, float]) -> dict[str, float]:
    """A mix that names one group of a loop gives the shares of all of them: those that it leaves out get nothing."""
    return {group: mix.get(group, 0.0) for group in shares} if shares.keys() & mix.keys() else shares
