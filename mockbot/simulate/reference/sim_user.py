"""A user of the simulated crowd, and what the users of its group share. Chance has a stream for each purpose."""

from random import Random
from typing import NamedTuple

from mockbot.clients.policy import ClientPolicy
from mockbot.clients.policy_factory import PolicyFactory
from mockbot.dialects.client_identity import api_key
from mockbot.scenario.schema import Group
from mockbot.service.chatbot import Caller


class IdleConnection(NamedTuple):
    """A connection that can carry this user's next attempt: to which replica, in which of its lives, since when."""

    replica: int
    life: int
    since: float


class CrowdGroup:
    """One group, and what its users share."""

    def __init__(self, name: str, spec: Group, first: str, seed: int) -> None:
        self.name, self.spec = name, spec
        self._factory = PolicyFactory(spec, spec.uses or first)
        self._policy_rng, self.think_rng, self.mark_rng, self._session_rng, self.leave_rng = (
            Random(f"{seed}/{name}/{purpose}") for purpose in ("policy", "think", "marks", "session", "leave")
        )
        self.present: list[User] = []
        self.free_policies: list[ClientPolicy] = []  # of users that left; later arrivals use them again
        self._created = 0

    def new_user(self) -> "User":
        """The group's next user."""
        self._created += 1
        policy = self.free_policies.pop() if self.free_policies else self._factory.new_client(self._policy_rng)
        return User(self, self._created, policy)

    def is_last_prompt(self) -> bool:
        """Does a visitor leave after this prompt? Memoryless, so that sessions are geometric."""
        mean = self.spec.session
        return mean == 1 or self._session_rng.random() * mean < 1


class User:
    """One user of a group."""

    __slots__ = ("asked", "caller", "group", "idle", "leaving", "name", "policy")

    def __init__(self, group: CrowdGroup, number: int, policy: ClientPolicy) -> None:
        self.group, self.policy = group, policy
        self.name = f"{group.name}-{number}"
        self.caller = Caller(api_key(group.spec.tier, self.name), group.spec.tier)
        self.asked = 0
        self.leaving = False
        self.idle: dict[str, list[IdleConnection]] = {}  # by provider; only of those that have replicas
