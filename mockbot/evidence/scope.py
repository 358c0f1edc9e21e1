"""What a measure is taken of: a scope, and the counters of the run that belong to it, summed up. Pure."""

from dataclasses import dataclass

from mockbot.evidence.counters import Cohort, Key, RecoverySeries, Work
from mockbot.evidence.run_counters import RunCounters


@dataclass(frozen=True, slots=True)
class Scope:
    """What a measure is taken of: the whole run, narrowed by each name that is given."""

    phase: str | None = None
    group: str | None = None
    tier: str | None = None
    provider: str | None = None

    def holds(self, key: Key) -> bool:
        """Whether what was counted under this key belongs here, whatever its phase."""
        if key.provider != (self.provider or ""):
            return False
        return self.group in {None, key.group} and self.tier in {None, key.tier}

    def __str__(self) -> str:
        names = (("phase", self.phase), ("group", self.group), ("tier", self.tier), ("provider", self.provider))
        return ", ".join(f"{kind} {name}" for kind, name in names if name is not None) or "whole run"


@dataclass(frozen=True, slots=True)
class ScopeCounters:
    """The counters of one scope, summed up."""

    scope: Scope
    counters: RunCounters
    cohort: Cohort
    recovery_series: RecoverySeries
    work: Work
    seconds: float

    @property
    def people_only(self) -> str | None:
        """Why the provider's side cannot be told apart here; None when it can."""
        if self.scope.group is None and self.scope.tier is None:
            return None
        return "a provider does not tell its clients' groups apart"

    @property
    def whole_run(self) -> str | None:
        """Why what spans phases cannot be said here; None when it can."""
        return None if self.scope.phase is None else "is about the whole run and not about one phase"


def counters_of(counters: RunCounters, scope: Scope) -> ScopeCounters:
    """Sum up the counters that belong to the scope."""
    phases = {index for index, phase in enumerate(counters.timeline.phases) if scope.phase in {None, phase.name}}
    return ScopeCounters(
        scope,
        counters,
        counters.select(counters.cohorts, lambda key: key.phase in phases and scope.holds(key), Cohort()),
        counters.select(counters.recovery_series, scope.holds, RecoverySeries()),
        _work(counters, phases, scope.provider),
        sum(_observed(counters, index) for index in phases),
    )


def _work(counters: RunCounters, phases: set[int], provider: str | None) -> Work:
    result = Work()
    for (phase, name), work in counters.work.items():
        if phase in phases and provider in {None, name}:
            result.merge(work)
    return result


def _observed(counters: RunCounters, index: int) -> float:
    phase = counters.timeline.phases[index]
    return max(0.0, min(phase.end, counters.seen_until) - phase.start)
