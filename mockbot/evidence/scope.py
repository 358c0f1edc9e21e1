"""The scope of a measure, and the counters of a run that belong to it, summed up. Pure."""

from dataclasses import dataclass

from mockbot.evidence.counters import Cohort, Key, RecoverySeries, Work
from mockbot.evidence.run_counters import RunCounters


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole run, narrowed by each name that is given."""

    phase: str | None = None
    group: str | None = None
    tier: str | None = None
    provider: str | None = None

    def holds(self, key: Key) -> bool:
        """Whether a counter with this key belongs to the scope; the phase of the key is not looked at."""
        if key.provider != (self.provider or ""):
            return False
        return self.group in {None, key.group} and self.tier in {None, key.tier}

    def __str__(self) -> str:
        names = (("phase", self.phase), ("group", self.group), ("tier", self.tier), ("provider", self.provider))
        return ", ".join(f"{kind} {name}" for kind, name in names if name is not None) or "whole run"


@dataclass(frozen=True, slots=True)
class ScopeCounters:
    """The counters of one scope, summed up; `run` has those of the whole run. `seconds`: how long it was observed."""

    scope: Scope
    run: RunCounters
    cohort: Cohort
    recovery_series: RecoverySeries
    work: Work
    seconds: float

    @property
    def no_provider_side(self) -> str | None:
        """Why the counters of the providers say nothing about this scope; None when they do."""
        if self.scope.group is None and self.scope.tier is None:
            return None
        return "a provider does not tell its clients' groups apart"

    @property
    def not_whole_run(self) -> str | None:
        """Why a measure that spans phases is undefined in this scope; None when it is defined."""
        return None if self.scope.phase is None else "is about the whole run and not about one phase"


def counters_of(run: RunCounters, scope: Scope) -> ScopeCounters:
    """Sum up the counters that belong to the scope."""
    phases = {index: phase for index, phase in enumerate(run.timeline.phases) if scope.phase in {None, phase.name}}
    total = Work()
    for (index, provider), work in run.work.items():
        if index in phases and scope.provider in {None, provider}:
            total.merge(work)
    return ScopeCounters(
        scope,
        run,
        run.select(run.cohorts, lambda key: key.phase in phases and scope.holds(key), Cohort()),
        run.select(run.recovery_series, scope.holds, RecoverySeries()),
        total,
        sum(max(0.0, min(phase.end, run.observed_until) - phase.start) for phase in phases.values()),
    )
