"""A timeline and the driver's confirmed actions in, the outages of each group and provider out. Pure.

An outage is a stretch of time in which something was wrong that could reach a group: a fault of a provider that the
group may ask, or a surge (phases with a larger crowd than the baseline's). It begins with the measured begin of its
first cause and is clear at the measured end of its last; a flapping fault ends with the last time that it goes off.
Causes that are less than HOLD apart are one outage, because no recovery can be shown between them. The baseline is the
first phase without a fault, if it comes before all outages, less its warm-up: each group is measured against its own
calm there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import itemgetter

from mockbot.evidence.records import Action
from mockbot.faults.base import SYSTEM
from mockbot.measures.counter_protocols import Disturbance, Outage
from mockbot.measures.outages import HOLD
from mockbot.scenario.schema import Group, Scenario
from mockbot.scenario.spans import FaultSpan, PhaseSpan, published
from mockbot.scenario.timeline import Timeline

WARM_UP_SHARE, WARM_UP_MOST = 0.25, 60.0  # of the baseline's phase, and in seconds
SURGE = 1.05  # times the baseline's crowd
BEING_FIXED = frozenset({"investigating", "identified", "in_progress"})  # states of a status page that admits an outage


@dataclass(frozen=True, slots=True)
class RunOutages:
    """All outages of a run, in order of time. `whole`: from the first begin to the last clear, and the baseline."""

    whole: Disturbance
    by_group: Mapping[str, tuple[Outage, ...]]
    by_provider: Mapping[str, tuple[Outage, ...]]


@dataclass(frozen=True, slots=True)
class _Cause:
    """Something that was wrong; `fault` is None for a surge, which reaches everybody, as a fault on the system does."""

    name: str
    begin: float
    clear: float
    fault: FaultSpan | None = None


def outages_of(timeline: Timeline, actions: Sequence[Action] = ()) -> RunOutages:
    """By measured times where an action was confirmed, by planned times elsewhere."""
    scenario, faults = timeline.scenario, timeline.faults
    healthy = (p for p in timeline.phases if not any(f.start < p.end and f.end > p.start for f in faults))
    calm = next(healthy, None)
    causes = [_Cause(f.id, measured_begin(f, actions), measured_end(f, actions), f) for f in faults]
    if calm is not None:
        causes += _surges(timeline, calm)
    baseline = None
    if calm is not None and all(calm.start < cause.begin for cause in causes):
        baseline = calm.start + min(WARM_UP_MOST, WARM_UP_SHARE * (calm.end - calm.start)), calm.end
    begin = min((cause.begin for cause in causes), default=None)
    clear = max((cause.clear for cause in causes), default=None)
    by_group, by_provider = {}, {}
    for name, group in scenario.crowd.items():
        asked = _asked(group, scenario)
        met = [cause for cause in causes if _reaches(cause.fault, group, scenario)]
        by_group[name] = _merged(met, timeline, asked)
    for name in scenario.providers:
        own = [cause for cause in causes if cause.fault is None or name in _hit(cause.fault, scenario)]
        by_provider[name] = _merged(own, timeline, {name})
    return RunOutages(Disturbance(begin, clear, baseline), by_group, by_provider)


def measured_begin(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's first begin was confirmed; when it was due if it never was."""
    return min(_confirmed("begin", fault, actions), default=fault.start)


def measured_end(fault: FaultSpan, actions: Sequence[Action]) -> float:
    """When the fault's last end was confirmed; when it was due if it never was."""
    return max(_confirmed("end", fault, actions), default=fault.last_off)


def _confirmed(does: str, fault: FaultSpan, actions: Sequence[Action]) -> list[float]:
    return [
        action.confirmed
        for action in actions
        if action.fault == fault.id and action.does == does and action.confirmed is not None
    ]


def _asked(group: Group, scenario: Scenario) -> set[str]:
    """The providers that the group may ask."""
    return {group.uses or scenario.first_provider, *([group.falls_over_to] if group.falls_over_to else ())}


def _hit(fault: FaultSpan, scenario: Scenario) -> set[str]:
    """The fault's provider, and those that get the requests of clients that fall over, one after the other."""
    hit = {fault.provider}
    for _ in scenario.providers:
        for group in scenario.crowd.values():
            if group.falls_over_to is not None and _asked(group, scenario) & hit:
                hit |= _asked(group, scenario)
    return hit


def _reaches(fault: FaultSpan | None, group: Group, scenario: Scenario) -> bool:
    """Whether requests of the group can meet the fault, or the crowd that it drives to another provider."""
    if fault is None or fault.provider == SYSTEM:
        return True
    share, asked = fault.fault.share, _asked(group, scenario)
    if max(share.first, share.last) == 0 or not asked & _hit(fault, scenario):
        return False
    tier = getattr(fault.fault, "tier", None)  # faults of the connection hit every tier
    return fault.provider not in asked or tier in {None, group.tier}


def _merged(causes: Iterable[_Cause], timeline: Timeline, asked: Collection[str]) -> tuple[Outage, ...]:
    """Causes that overlap, or are less than HOLD apart, are one outage."""
    stretches: list[tuple[float, float, tuple[str, ...]]] = []
    for cause in sorted(causes, key=lambda cause: (cause.begin, cause.clear)):
        begin, clear, names = stretches.pop() if stretches else (cause.begin, cause.begin, ())
        if cause.begin >= clear + HOLD:
            stretches.append((begin, clear, names))
            begin, names = cause.begin, ()
        stretches.append((begin, max(clear, cause.clear), (*names, cause.name)))
    result = []
    for index, (begin, clear, names) in enumerate(stretches):
        until = stretches[index + 1][0] if index + 1 < len(stretches) else timeline.end
        result.append(Outage(begin, clear, until, names, _acknowledged(timeline, asked, begin, until)))
    return tuple(result)


def _acknowledged(timeline: Timeline, asked: Collection[str], begin: float, until: float) -> float | None:
    """When a status page of the providers asked first admitted an outage; `begin` if it said so already."""
    updates = [each for each in timeline.scenario.status_page if each.provider is None or each.provider in asked]
    shown = ((published(each, timeline.phases), "" if each.hidden else each.state) for each in updates)
    posts = sorted(shown, key=itemgetter(0))
    before = [state for t, state in posts if t <= begin]
    if before and before[-1] in BEING_FIXED:
        return begin
    return next((t for t, state in posts if begin < t < until and state in BEING_FIXED), None)


def _surges(timeline: Timeline, calm: PhaseSpan) -> Iterator[_Cause]:
    """The phases with a larger crowd than the calm one, at their start or their end.

    A crowd that stays large to the end of the scenario is the new normal from the end of the phase of its peak on.
    """
    sizes = [_largest_crowd(timeline, phase, calm) for phase in timeline.phases]
    last = max(index for index, size in enumerate(sizes) if size <= SURGE)
    peak = last + 1 + sizes[last + 1 :].index(max(sizes[last + 1 :])) if last + 1 < len(sizes) else last
    for phase, size in zip(timeline.phases[: peak + 1], sizes, strict=False):
        if size > SURGE:
            yield _Cause(phase.name, phase.start, phase.end)


def _largest_crowd(timeline: Timeline, phase: PhaseSpan, calm: PhaseSpan) -> float:
    """The users or the arrivals of a phase, in multiples of those at the end of the calm one."""
    usual = _crowd(timeline, calm.end)
    # `_crowd` looks just before its time, so the first of these is the start of the phase itself.
    crowds = (_crowd(timeline, phase.start + 1e-6), _crowd(timeline, phase.end))
    return max(
        now / before if before else inf if now else 0.0
        for crowd in crowds
        for now, before in zip(crowd, usual, strict=True)
    )


def _crowd(timeline: Timeline, until: float) -> tuple[float, float]:
    """Users and arrivals per second just before `until`."""
    conditions = timeline.at(until - 1e-6)
    return sum(conditions.users.values()), sum(conditions.arrivals.values())
