"""Turn a group of a scenario into the minds of its users; the one place that maps words of a policy to parts. Pure."""

from dataclasses import replace
from random import Random
from typing import assert_never

from mockbot.clients.client import Client
from mockbot.clients.failures import ANYTHING, SENSIBLE, AtLeast, Exactly, Never, Obeys
from mockbot.clients.policy import Mind
from mockbot.clients.presets import OPENAI
from mockbot.clients.reactions import Loop, Loops, Reaction, Reloads
from mockbot.clients.waits import AT_ONCE, Exponential
from mockbot.scenario.policies import Backoff, Fixed, Once, Policy, Refresh, Sdk
from mockbot.scenario.schema import Group


class Minds:
    """The users of one group: what they share is made once, here."""

    def __init__(self, group: Group, home: str) -> None:
        self._group = group
        self._providers = (home,) if group.falls_over_to is None else (home, group.falls_over_to)

    def mind(self, rng: Random) -> Mind:
        """One more user. `rng` may be shared with others or be the user's own."""
        group = self._group
        return Client(reaction_of(group.policy), self._providers, group.patience, streams=group.stream, rng=rng)


def mind_of(group: Group, home: str, rng: Random) -> Mind:
    """A user who shares nothing with others."""
    return Minds(group, home).mind(rng)


def reaction_of(policy: Policy) -> Reaction:
    """How a client of this policy reacts to failures; one for each user."""
    match policy:
        case Once():
            return Loops((Loop(1, AT_ONCE),), policy.timeout)
        case Refresh():
            return Reloads(policy.every, policy.timeout)
        case Fixed():
            return Loops((Loop(policy.attempts, Exponential(policy.wait, policy.wait), ANYTHING),), policy.timeout)
        case Backoff():
            wait = Exponential(policy.base, policy.cap, low=0.0)
            return Loops((Loop(policy.attempts, wait, SENSIBLE, _obeys(policy)),), policy.timeout)
        case Sdk():
            return Loops((replace(OPENAI, attempts=policy.retries + 1),), policy.timeout)
    assert_never(policy)


def _obeys(policy: Backoff) -> Obeys:
    if policy.retry_after == "exact":
        return Exactly()
    return AtLeast(policy.spread) if policy.retry_after else Never()
