"""A scenario in, the handful of numbers out that the laws of outages speak of. Pure.

They are of one provider, the one that is out the longest (the first, when nothing is), with the crowd that uses it
just before it goes wrong, and of the longest stretch in which most requests are hit.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mockbot.evidence.disturbance import disturbance_of
from mockbot.faults.union import Capacity, Slow, Stall
from mockbot.scenario.policies import Preset, Refresh
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.answer_law import mean_seconds

SEVERE = 0.5  # of the requests, from which a fault counts as an outage
NO_OUTAGE, EVERY, THINK = 600.0, 10.0, 20.0  # what is staged where a scenario has none


@dataclass(frozen=True, slots=True)
class Setting:
    """Seconds and requests per second. `keeps_queue`: nobody is turned away while it lasts, so nobody is lost."""

    provider: str
    spec: Provider
    users: int
    think: float
    rate: float  # of prompts, when all is well
    service: float  # mean time that an answer takes
    begin: float
    outage: float
    has_outage: bool
    keeps_queue: bool
    every: float  # between two refreshes of the scenario's most impatient group

    @property
    def capacity(self) -> float:
        """Answers per second."""
        return self.spec.slots / self.service

    @property
    def load(self) -> float:
        """rho."""
        return self.rate / self.capacity

    @property
    def places(self) -> int:
        """Who is in the house when it is full: the queue and the slots."""
        return self.spec.queue.limit + self.spec.slots


def setting_of(scenario: Scenario) -> Setting:
    """The numbers of a scenario."""
    timeline = Timeline(scenario)
    name, begin, outage, spans = _outage(timeline)
    before = timeline.at(max(0.0, begin - 1e-6))
    groups = groups_of(scenario, name)
    users = sum(before.users.get(group, 0) for group in groups)
    arrivals = sum(before.arrivals.get(group, 0.0) for group in groups)
    thinks = sum(before.users.get(group, 0) * each.think for group, each in groups.items())
    think = max(1.0, thinks / users) if users else THINK
    spec = scenario.providers[name]
    every = [each.policy.every for each in groups.values() if isinstance(each.policy, Refresh) and each.policy.every]
    service = mean_seconds(spec.answer, spec.slots)
    return Setting(
        provider=name,
        spec=spec,
        users=users or max(1, round(arrivals * THINK)),
        think=think,
        rate=users / think + arrivals,
        service=service,
        begin=begin,
        outage=outage or NO_OUTAGE,
        has_outage=bool(outage),
        keeps_queue=all(isinstance(span.fault, Capacity | Slow | Stall) for span in spans),
        every=min(every, default=max(EVERY, float(round(3 * service)))),
    )


def groups_of(scenario: Scenario, provider: str) -> dict[str, Group]:
    """Those who use it first."""
    return {n: group for n, group in scenario.crowd.items() if (group.uses or scenario.first_provider) == provider}


def rate_of(scenario: Scenario, names: Iterable[str], begin: float) -> float:
    """Prompts per second of these groups just before `begin`, when all is well."""
    now = Timeline(scenario).at(max(0.0, begin - 1e-6))
    thinks = {name: max(1.0, scenario.crowd[name].think) for name in names}
    return sum(now.users.get(name, 0) / think + now.arrivals.get(name, 0.0) for name, think in thinks.items())


def _outage(timeline: Timeline) -> tuple[str, float, float, list[FaultSpan]]:
    """(provider, begin, length, its faults); no length when nothing goes wrong."""
    severe = [span for span in timeline.faults if (span.fault.share.first + span.fault.share.last) / 2 >= SEVERE]
    by_provider = {name: [s for s in severe if s.provider == name] for name in timeline.scenario.providers}
    found = [(name, *_longest(spans), spans) for name, spans in by_provider.items()]
    name, begin, outage, spans = max(found, key=lambda each: each[2])
    what = disturbance_of(timeline, ())
    if not outage and what.begin is not None and what.clear is not None:
        return timeline.scenario.first_provider, what.begin, what.clear - what.begin, []
    return name, begin if outage else timeline.end, outage, spans


def _longest(spans: Iterable[FaultSpan]) -> tuple[float, float]:
    """(begin, length) of the longest stretch that is covered by faults."""
    best, start, end = (0.0, 0.0), 0.0, -1.0
    for span in sorted(spans, key=lambda each: each.start):
        if span.start > end:
            start, end = span.start, span.end
        end = max(end, span.end)
        best = max(best, (start, end - start), key=lambda each: each[1])
    return best


def timeout_of(group: Group) -> float:
    """How long an attempt of the group may take."""
    policy = group.policy
    if isinstance(policy, Refresh):
        return min(policy.timeout, policy.every or math.inf)
    if isinstance(policy, Preset):
        return policy.timeout or group.patience
    return float(getattr(policy, "timeout", group.patience))
