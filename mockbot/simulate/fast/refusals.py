"""What the fast engine cannot express: a scenario in, the reasons out, each with the name of its group or provider.

Nothing is approximated silently: a scenario that needs more than one retry loop, a client's own guards (budget,
breaker), fail-over, a broken wire or a flawed stream is for the reference engine.
"""

import math
from collections.abc import Iterator

from mockbot.clients.failures import Exactly
from mockbot.clients.policy_factory import reactions_of
from mockbot.clients.reactions import Loops, Reloads
from mockbot.clients.waits import Exponential
from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Admission, ClosedPort, Crashed, EdgeAnswer, SlotFactor, Slowdown
from mockbot.scenario.policies import Guarded, Informed, Preset
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline

PLAYED = Crashed | EdgeAnswer | Admission | SlotFactor | Slowdown | ClosedPort
PATH = "/v1/chat/completions"
MOST_FAULTS, MOST_GROUPS = 64, 500  # bits of `World.active`; what the upper bits of a user's flags hold


def refusals(scenario: Scenario) -> list[str]:
    """Everything in a scenario that this engine cannot express, in words."""
    found = [f"group {name}: {why}" for name, group in scenario.crowd.items() for why in _of_group(group)]
    found += [f"provider {name}: {why}" for name, each in scenario.providers.items() for why in _of_provider(each)]
    spans = Timeline(scenario).faults
    for span in spans:
        effect = span.fault.effect()
        endpoint = span.fault.endpoint or "" if isinstance(span.fault, ServiceFault) else ""
        is_special = isinstance(effect, EdgeAnswer) and (PATH.startswith(effect.exempt) or effect.wait_form == "ms")
        if not isinstance(effect, PLAYED) or not PATH.startswith(endpoint) or is_special:
            found.append(f"fault {span.id}")
    if len(spans) > MOST_FAULTS or len(scenario.crowd) > MOST_GROUPS:
        found.append(f"more than {MOST_FAULTS} faults or {MOST_GROUPS} groups")
    return found


def _of_group(group: Group) -> Iterator[str]:
    policy = group.policy
    yield from (key for key in ("burst", "session") if getattr(group, key) != 1)
    if group.falls_over_to is not None:
        yield "falls_over_to"
    if isinstance(policy, Preset | Informed):
        yield f"policy {policy.name}"
        return
    if isinstance(policy, Guarded):
        yield from (part for part in ("budget", "breaker", "throttle", "hedge") if getattr(policy, part) is not None)
    reaction = reactions_of(policy)()
    if isinstance(reaction, Reloads):
        return
    if not isinstance(reaction, Loops) or len(reaction.loops) != 1:
        is_simple = False
    else:
        loop = reaction.loops[0]
        obeys_all = not isinstance(loop.obeys, Exactly) or loop.obeys.statuses is None
        is_simple = isinstance(loop.wait, Exponential) and math.isinf(loop.stop_after) and not loop.sleeps_last
        is_simple = is_simple and loop.limited is None
        is_simple = is_simple and obeys_all
    if not is_simple:
        yield f"policy {policy.name} with more than one exponential retry loop"


def _of_provider(provider: Provider) -> Iterator[str]:
    asked = {
        "queue.order lifo": provider.queue.order != "fifo",
        "queue.max_wait": provider.queue.max_wait is not None,
        "queue.first": provider.queue.first,
        "abandoned_work stops": provider.abandoned_work == "stops",
        "answer.slowdown_from": provider.answer.slowdown_from is not None,
        "token_limits": provider.token_limits,
        "refusal_cost": provider.refusal_cost,
    }
    return (name for name, is_asked in asked.items() if is_asked)
