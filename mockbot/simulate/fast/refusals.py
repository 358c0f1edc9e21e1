"""What the fast engine cannot express: a scenario in, the reasons out, each with the name of its group or provider.

Nothing is approximated silently: a scenario that needs more than one retry loop, a client's own guards (budget,
breaker), fail-over, a broken wire or a flawed stream is for the reference engine.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

from mockbot.clients.failures import Exactly
from mockbot.clients.policy_factory import reactions_of
from mockbot.clients.reactions import Loops
from mockbot.clients.waits import Exponential
from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Admission, ClosedPort, Crashed, EdgeAnswer, SlotFactor, Slowdown
from mockbot.scenario.answer_law import sigma
from mockbot.scenario.policies import Guarded, Informed, Preset, Refresh
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline

PLAYED = Crashed | EdgeAnswer | Admission | SlotFactor | Slowdown | ClosedPort
PATH = "/v1/chat/completions"
MOST_FAULTS = 64  # bits of `World.active`
MOST_TOKENS = 2**32 - 1  # of `layout.USER`
_LONGEST = math.sqrt(2 * 53 * math.log(2))  # deviations: the most that `chance.normal` makes of 53 bits


def refusals(scenario: Scenario) -> list[str]:
    """Everything in a scenario that this engine cannot express, in words."""
    found = [f"group {name}: {why}" for name, group in scenario.crowd.items() for why in _of_group(group)]
    found += [f"provider {name}: {why}" for name, each in scenario.providers.items() for why in _of_provider(each)]
    timeline = Timeline(scenario)
    found += [f"group {name}: users come while others leave" for name in scenario.crowd if _overlaps(timeline, name)]
    for span in timeline.faults:
        effect = span.fault.effect()
        endpoint = span.fault.endpoint or "" if isinstance(span.fault, ServiceFault) else ""
        is_special = isinstance(effect, EdgeAnswer) and (
            PATH.startswith(effect.exempt) or effect.wait_form == "ms" or effect.should_retry is not None
        )
        if not isinstance(effect, PLAYED) or not PATH.startswith(endpoint) or is_special:
            found.append(f"fault {span.id}")
    if len(timeline.faults) > MOST_FAULTS:
        found.append(f"more than {MOST_FAULTS} faults")
    return found


def _overlaps(timeline: Timeline, group: str) -> bool:
    """Do users come to a closed group while some who have left may still be within their last prompt?

    Each of the engine's users has one place, and there are as many places as users at the fullest moment.
    """
    fell, patience = -math.inf, timeline.scenario.crowd[group].patience
    edges = [(t, within) for phase in timeline.phases for t, within in ((phase.start, 0.0), (phase.end, 1e-9))]
    users = [(t, timeline.at(t - within).users.get(group, 0)) for t, within in edges]
    for (begin, before), (end, now) in pairwise(users):
        if now > before and begin < fell + patience:
            return True
        fell = end if now < before else fell
    return False


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
    if isinstance(policy, Refresh):
        return
    if type(reaction) is not Loops or len(reaction.loops) != 1:
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
    tokens = provider.answer.tokens
    longest = math.log(tokens.median) + sigma(tokens) * _LONGEST
    asked = {
        f"answer.tokens beyond {MOST_TOKENS:,}": longest > math.log(MOST_TOKENS),
        "queue.order lifo": provider.queue.order != "fifo",
        "queue.max_wait": provider.queue.max_wait is not None,
        "queue.first": provider.queue.first,
        "abandoned_work stops": provider.abandoned_work == "stops",
        "answer.slowdown_from": provider.answer.slowdown_from is not None,
        "token_limits": provider.token_limits,
        "replicas": provider.replicas > 1,
        "refusal_cost": provider.refusal_cost,
    }
    return (name for name, is_asked in asked.items() if is_asked)
