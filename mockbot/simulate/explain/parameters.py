"""A scenario in, the few numbers that the laws of outages need out. Pure.

They are of one provider, the one that is out the longest (the first, when nothing is), with the crowd that uses it
just before the outage, and of the longest stretch in which most requests are hit.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mockbot.evidence.outage_spans import outages_of
from mockbot.scenario.answer_law import mean_seconds
from mockbot.scenario.policies import Preset, Refresh
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline

SEVERE = 0.5  # of the requests, from which a fault counts as an outage
NO_OUTAGE, EVERY, THINK = 600.0, 10.0, 20.0  # what is staged where a scenario has none
BEFORE = 1e-6  # seconds; a moment before a change, so that the change does not count


@dataclass(frozen=True, slots=True)
class Setting:
    """Seconds and requests per second. `keeps_queue`: the outage refuses and loses no request."""

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
        """Requests that the provider holds when it is full: the queue and the slots."""
        return self.spec.queue.limit + self.spec.slots


def setting_of(scenario: Scenario) -> Setting:
    """The numbers of a scenario."""
    timeline = Timeline(scenario)
    name, begin, outage, spans = _longest_outage(timeline)
    before = timeline.at(max(0.0, begin - BEFORE))
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
        keeps_queue=all(span.fault.keeps_queue for span in spans),
        every=min(every, default=max(EVERY, float(round(3 * service)))),
    )


def groups_of(scenario: Scenario, provider: str) -> dict[str, Group]:
    """The groups that use it first."""
    return {n: group for n, group in scenario.crowd.items() if (group.uses or scenario.first_provider) == provider}


def rate_of(scenario: Scenario, names: Iterable[str], begin: float) -> float:
    """Prompts per second of these groups just before `begin`, when all is well."""
    now = Timeline(scenario).at(max(0.0, begin - BEFORE))
    # In a fixed order: a sum of floats depends on it, and a set's order changes from process to process.
    thinks = {name: max(1.0, scenario.crowd[name].think) for name in sorted(names)}
    return sum(now.users.get(name, 0) / think + now.arrivals.get(name, 0.0) for name, think in thinks.items())


def _longest_outage(timeline: Timeline) -> tuple[str, float, float, list[FaultSpan]]:
    """(provider, begin, length, its faults); no length when nothing goes wrong."""
    severe = [span for span in timeline.faults if (span.fault.share.first + span.fault.share.last) / 2 >= SEVERE]
    best = timeline.scenario.first_provider, timeline.end, 0.0, list[FaultSpan]()
    for name in timeline.scenario.providers:
        spans = [span for span in severe if span.provider == name]
        start, end = 0.0, -1.0  # of a stretch that is covered by faults
        for span in sorted(spans, key=lambda each: each.start):
            if span.start > end:
                start, end = span.start, span.end
            end = max(end, span.end)
            if end - start > best[2]:
                best = name, start, end - start, spans
    what = outages_of(timeline).whole
    if not best[2] and what.begin is not None and what.clear is not None:
        return timeline.scenario.first_provider, what.begin, what.clear - what.begin, []
    return best


def timeout_of(group: Group) -> float:
    """How long an attempt of the group may take."""
    policy = group.policy
    if isinstance(policy, Refresh):
        return min(policy.timeout, policy.every or math.inf)
    if isinstance(policy, Preset):
        return policy.timeout or group.patience
    return float(getattr(policy, "timeout", group.patience))
