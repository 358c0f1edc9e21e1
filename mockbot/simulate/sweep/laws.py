"""A scenario in, how far each law of `theory.py` sees it from its edge out. Pure, and independent of the runs."""

from mockbot.evidence.outage_spans import outages_of
from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.policies import BackoffBase, Fixed, Refresh, Sdk
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory

SAFE = "r = min(N, q + s)/C: above it nothing sticks"
TIPS = "r = min(Ns/2, q + s)/C: below it this outage sticks"
LOAD = "m rho = 1: below it retries cannot keep it down"


def margins(world: Scenario) -> dict[str, float]:
    """Of each law that says something here a ratio less 1: above 0 where the law says that nothing sticks.

    Refreshing counts for the first provider that is refreshed, retries for the group that tries most often.
    """
    timeline = Timeline(world)
    last, what = timeline.at(timeline.end - 1e-6), outages_of(timeline).whole
    found = {}
    reloads = {
        n: g.policy.every for n, g in world.crowd.items() if isinstance(g.policy, Refresh) and g.policy.every > 0
    }
    first = next((name for name in reloads if last.users.get(name)), None)
    if first is not None:
        spec, every = _provider(world, first), reloads[first]
        users = sum(last.users.get(name, 0) for name in reloads if _provider(world, name) is spec)
        capacity = answers_per_second(spec)
        found[SAFE] = every / theory.refresh_safe(users, spec.queue.limit, spec.slots, capacity) - 1
        if what.begin is not None and what.clear is not None and timeline.faults:
            waiting = theory.waiting_after(users, world.crowd[first].think, what.clear - what.begin)
            found[TIPS] = every / theory.refresh_tips(waiting, spec.queue.limit, spec.slots, capacity) - 1
    loads = (_attempts(world, n) * r / answers_per_second(_provider(world, n)) for n, r in last.arrivals.items())
    load = max(loads, default=0.0)
    if load > 0:
        found[LOAD] = 1 / load - 1
    return {law: round(margin, 4) for law, margin in found.items()}


def _provider(world: Scenario, group: str) -> Provider:
    return world.providers[world.crowd[group].uses or world.first_provider]


def _attempts(world: Scenario, group: str) -> int:
    """m: the most attempts that the group makes of a prompt."""
    match world.crowd[group].policy:
        case Fixed(attempts=attempts) | BackoffBase(attempts=attempts):
            return attempts
        case Sdk(retries=retries):
            return retries + 1
        case _:
            return 1
