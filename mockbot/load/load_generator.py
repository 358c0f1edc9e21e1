"""One process's share of a run's load: its clock, its collector, the identities of its users, and when to stop.

Independent of Locust. It tells users whether they may start another prompt, their names and the state of the status
page. `close` refuses new prompts, waits a bounded time for those under way, ends the rest and records them as
unfinished.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import gevent
from gevent import Greenlet

from mockbot.clients.policy import ClientPolicy
from mockbot.clients.policy_factory import PolicyFactory
from mockbot.clock import Clock
from mockbot.load.collector import Collector, UserIdentity
from mockbot.scenario.schema import Group
from mockbot.scenario.timeline import StatusState
from mockbot.testbed.system.system_file import System

POLL_EVERY = 0.02  # wall seconds between two checks of what is still pending
STATUS_AGE = 0.1  # wall seconds: users of one process share a reading, or 1,000 of them would load the status page
KILL_WITHIN = 1.0  # wall seconds for killed users to record their attempts; what they leave, `abandon` records


def no_status_page() -> None:
    """The status of a service that has no status page."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider as clients reach it: base URL without /v1, and the API it speaks."""

    url: str
    dialect: str = "openai"


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The groups of users, the endpoint of every provider, and the second at which the load ends."""

    groups: Mapping[str, Group]
    endpoints: Mapping[str, Endpoint]
    seed: int = 1
    end: float = float("inf")  # scenario second from which no prompt starts
    slo: float = float("inf")  # seconds within which a prompt should be answered
    status: Callable[[], StatusState | None] = no_status_page  # reads the status page now
    system: System | None = None  # what all users ask, instead of the providers
    run: str = ""  # keeps the identities of two runs apart
    authority: str = ""  # PEM: what connections to https endpoints trust
    traced: bool = False  # every request names its attempt's span as its parent

    def provider_of(self, group: str) -> str:
        """The provider that a group asks first."""
        return self.groups[group].uses or next(iter(self.endpoints))


@dataclass(slots=True, eq=False)
class LoadGenerator:
    """`prefix` keeps user names unique across the workers of a run. `broken`: why this machine made no load, or ""."""

    plan: LoadPlan
    clock: Clock
    collector: Collector
    prefix: str = ""
    closing: bool = False
    broken: str = ""
    arrivals: list[Greenlet] = field(default_factory=list)  # each starts the users of one open group
    asking: dict[Greenlet, None] = field(default_factory=dict)  # users amid a prompt; ordered, so that runs repeat
    _numbers: Counter[str] = field(default_factory=Counter)
    _policies: dict[str, PolicyFactory] = field(default_factory=dict)
    _status: tuple[float, StatusState | None] = (float("-inf"), None)

    def admits(self, intended: float) -> bool:
        """Whether a prompt due at `intended` may start; a late one may, since dropping it would hide the delay."""
        return not self.closing and intended < self.plan.end

    def new_user(self, group: str) -> UserIdentity:
        """The identity of a new user of a group, unique in the run."""
        self._numbers[group] += 1
        return UserIdentity(f"{group}-{self.prefix}{self._numbers[group]}", group, self.plan.groups[group].tier)

    def rng(self, identity: UserIdentity, purpose: str) -> Random:
        """One random stream per user and purpose, the same in every run with the same seed."""
        return Random(f"{self.plan.seed}/{identity.user}/{purpose}")

    def policy(self, identity: UserIdentity) -> ClientPolicy:
        """The user's client policy; what a group shares (budgets, breakers) is shared within this process."""
        group = identity.group
        if group not in self._policies:
            self._policies[group] = PolicyFactory(self.plan.groups[group], self.plan.provider_of(group))
        return self._policies[group].new_client(self.rng(identity, "policy"))

    def status(self) -> StatusState | None:
        """The state of the status page, at most `STATUS_AGE` old."""
        now = self.clock.now()
        if self.clock.wall(now - self._status[0]) > STATUS_AGE:
            self._status = (now, self._status[1])  # users that read during the request below get the old state
            self._status = (now, self.plan.status())
        return self._status[1]

    def wait_until(self, t: float) -> None:
        """Sleep until scenario second t; return at once when it has passed."""
        wall = self.clock.wall(t - self.clock.now())
        if wall > 0:
            gevent.sleep(wall)

    def close(self, within: float) -> None:
        """Refuse new prompts, wait `within` wall seconds for those under way, record the rest. Idempotent."""
        self.closing = True  # first, or users would start prompts while the rest is being closed
        gevent.killall(self.arrivals)
        until = self.clock.now() + self.clock.scenario(within)
        while self.collector.pending and self.clock.now() < until:
            gevent.sleep(POLL_EVERY)
        gevent.killall(list(self.asking), block=True, timeout=KILL_WITHIN)
        self.collector.abandon()
