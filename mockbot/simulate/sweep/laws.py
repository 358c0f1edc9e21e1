"""A scenario in, how far each law of `theory.py` sees it from its edge out. Pure, and independent of the runs.

A law says something where `explain` prints it, too: of a crowd that all reloads at one interval, at a plain FIFO queue.
Only the time of an answer, which it takes as short beside that interval, may be anything here: it varies over a grid.
"""

import math
from collections.abc import Mapping

from mockbot.evidence.outage_spans import outages_of
from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.calm import groups_of
from mockbot.scenario.policies import BackoffBase, Fixed, Once, Policy, Refresh, Sdk
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.explain.setting import Setting

SAFE = "r = min(N, q + s)/C: above it nothing sticks"
TIPS = "r = min(Ns/2, q + s)/C: below it this outage sticks"
LOAD = "m rho = 1: below it retries cannot keep it down"


def margins(world: Scenario) -> dict[str, float]:
    """Of each law that says something here a ratio less 1: above 0 where the law says that nothing sticks.

    It counts for the first provider of which it says something, and for the users and arrivals of the scenario's end.
    """
    timeline = Timeline(world)
    last = timeline.at(timeline.end - 1e-6)
    found: dict[str, float] = {}
    for provider in world.providers:
        groups = groups_of(world, provider)
        if sum(last.users.get(name, 0) for name in groups):
            found = _refreshing(timeline, last.users, provider, groups) | found
        else:
            found = _retrying(last.arrivals, world.providers[provider], groups) | found
    return {law: round(margin, 4) for law, margin in found.items()}


def _refreshing(
    timeline: Timeline, last: Mapping[str, int], provider: str, groups: Mapping[str, Group]
) -> dict[str, float]:
    """After the provider's first outage."""
    outages = outages_of(timeline).by_provider.get(provider)
    intervals = {group.policy.every if isinstance(group.policy, Refresh) else 0.0 for group in groups.values()}
    if not outages or len(intervals) > 1 or 0.0 in intervals:
        return {}
    (every,), first, users = intervals, outages[0], sum(last.get(name, 0) for name in groups)
    faults = tuple(span for span in timeline.faults if span.id in first.causes and span.provider == provider)
    setting = Setting(timeline.scenario, timeline, provider, first.begin, first.clear, first.until, faults, ())
    if setting.unlike_fifo():
        return {}
    queue, slots, capacity = setting.spec.queue.limit, setting.spec.slots, setting.capacity
    found = {SAFE: every / theory.refresh_safe(users, queue, slots, capacity) - 1}
    if not setting.keeps_queue and not setting.unlike_blackout():
        waiting = theory.waiting_after(users, max(group.think for group in groups.values()), setting.length)
        found[TIPS] = every / theory.refresh_tips(waiting, queue, slots, capacity) - 1
    return found


def _retrying(last: Mapping[str, float], spec: Provider, groups: Mapping[str, Group]) -> dict[str, float]:
    """Of arrivals that all come with a known number of attempts."""
    loads = [_attempts(group.policy) * last[n] * group.session for n, group in groups.items() if last.get(n)]
    load = sum(loads) / answers_per_second(spec)
    return {LOAD: 1 / load - 1} if 0 < load < math.inf else {}


def _attempts(policy: Policy) -> float:
    """m: the most attempts of a prompt; infinite where it is not in the file."""
    match policy:
        case Fixed(attempts=attempts) | BackoffBase(attempts=attempts):
            return attempts
        case Sdk(retries=retries):
            return retries + 1
        case Once():
            return 1
        case _:
            return math.inf
