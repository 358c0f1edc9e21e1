"""A run's counters and a scope in, the counters that belong to the scope out, summed up for the formulas. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mockbot.evidence.counters import Cohort, Course, Key, Work
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.system_counters import SystemCounters
from mockbot.evidence.system_join import ENOUGH
from mockbot.evidence.user_uptime import Outages
from mockbot.measures.counter_protocols import Outage, Slices
from mockbot.measures.scope import Scope
from mockbot.measures.values import Undefined
from mockbot.units.formatting import format_percent


@dataclass(frozen=True, slots=True)
class Part:
    """A group of the scope, or the attempts at its provider, as `measures.counter_protocols` describes it."""

    name: str
    outages: Sequence[Outage]
    course: Course


@dataclass(frozen=True, slots=True)
class ScopeCounters:
    """The counters of one scope, as `measures.counter_protocols` describes them; `run` has those of the whole run."""

    scope: Scope
    run: RunCounters
    cohort: Cohort
    work: Work
    seconds: float

    def by_group(self) -> list[Cohort]:
        """The cohort of each group in this scope."""
        groups = sorted({key.group for key in self.run.cohorts})
        return [counters_of(self.run, replace(self.scope, group=group)).cohort for group in groups]

    def parts(self) -> list[Part]:
        """Each group of this scope with its outages; in the scope of a provider, all attempts at it together."""
        run, scope = self.run, self.scope
        keys = [key for key in run.courses if _holds(scope, key)]
        if scope.provider is not None:
            course = run.select(run.courses, keys.__contains__, Course())
            return [Part(scope.provider, run.outages.by_provider.get(scope.provider, ()), course)]
        return [
            Part(name, run.outages.by_group.get(name, ()), run.select(run.courses, _of_group(keys, name), Course()))
            for name in sorted({key.group for key in keys})
        ]

    def outages(self) -> Outages:
        """The outages of the users in this scope."""
        total = Outages()
        for group, tier, outages in self.run.user_uptime.outages():
            if _holds(self.scope, Key(-1, group, tier)):
                total.merge(outages)
        return total

    def slices(self) -> Slices:
        """The prompts of the groups in this scope by slice of time, of all phases."""
        series, baseline, scope = self.run.series, self.run.disturbance.baseline, self.scope
        crowd = self.run.scenario.crowd.items()
        groups = [name for name, each in crowd if scope.group in {None, name} and scope.tier in {None, each.tier}]
        return Slices(
            series.width,
            series.total(series.issued, groups),
            series.total(series.good, groups),
            None if baseline is None else series.whole_slices(baseline),
        )

    def system(self) -> SystemCounters | Undefined:
        """The prompts of the scope that went through a system under test, with the outages of its providers."""
        run, scope = self.run, self.scope
        if (joined := run.joined) is None:
            return Undefined("no system was under test")
        if (share := joined.share) is not None and share < ENOUGH:
            return Undefined(f"only {format_percent(share)} of the providers' requests could be joined with a prompt")
        phases = [phase for phase in run.timeline.phases if scope.phase in {None, phase.name}]
        exchanges = [
            each
            for each in joined.exchanges
            if scope.group in {None, each.prompt.group}
            and scope.tier in {None, each.prompt.tier}
            and any(phase.start <= each.prompt.intended < phase.end for phase in phases)
        ]
        outages = [
            (name, outage)
            for name, outages in run.outages.by_provider.items()
            if scope.provider in {None, name}
            for outage in outages
        ]
        return SystemCounters(exchanges, outages, run.observed_until, scope.provider)

    def peaks(self) -> Sequence[tuple[int, int]]:
        """For each provider of the scope the most requests in one second after a clear, and its slots."""
        return [
            (self.run.peak_offered[name], provider.all_slots)
            for name, provider in self.run.scenario.providers.items()
            if self.scope.provider in {None, name} and name in self.run.peak_offered
        ]


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
        run.select(run.cohorts, lambda key: key.phase in phases and _holds(scope, key), Cohort()),
        total,
        sum(max(0.0, min(phase.end, run.observed_until) - phase.start) for phase in phases.values()),
    )


def _of_group(keys: Sequence[Key], group: str) -> Callable[[Key], bool]:
    return {key for key in keys if key.group == group}.__contains__


def _holds(scope: Scope, key: Key) -> bool:
    """Whether a counter with this key belongs to the scope; the phase of the key is not looked at."""
    if key.provider != (scope.provider or ""):
        return False
    return scope.group in {None, key.group} and scope.tier in {None, key.tier}
