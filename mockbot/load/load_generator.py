"""One process's part of the crowd during one run: its clock, its gate, its collector and who is who.

A LoadGenerator knows nothing of Locust. Users ask it whether they may start another prompt, under which name they live, and
what the status page says; at the end `close` shuts the gate, waits a bounded time for the prompts under way, ends the
rest and has them written as unfinished.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import gevent
from gevent import Greenlet

from mockbot.clients.minds import Minds
from mockbot.clients.policy import Mind
from mockbot.clock import Clock
from mockbot.load.collector import Collector, UserIdentity
from mockbot.load.request_forms import Name
from mockbot.scenario.schema import Group
from mockbot.scenario.timeline import StatusState

LOOK = 0.02  # wall seconds between two looks at what is still pending
STATUS_AGE = 0.1  # wall seconds for which what the status page said is taken as what it says


def no_status_page() -> None:
    """Of a service without a status page."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider as its clients reach it: base URL without /v1."""

    url: str
    dialect: Name = "openai"


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """UserIdentity plays: the groups and where each finds the providers."""

    groups: Mapping[str, Group]
    endpoints: Mapping[str, Endpoint]
    seed: int = 1
    end: float = float("inf")  # scenario second after which nobody asks any more
    status: Callable[[], StatusState | None] = no_status_page  # the status page, read now

    def home(self, group: str) -> str:
        """The provider that a group talks to first."""
        return self.groups[group].uses or next(iter(self.endpoints))


@dataclass(slots=True, eq=False)
class LoadGenerator:
    """`prefix` keeps the names of users apart between the workers of one run."""

    cast: LoadPlan
    clock: Clock
    collector: Collector
    prefix: str = ""
    closing: bool = False
    broken: str = ""  # why this machine could not make the load
    hosts: list[Greenlet] = field(default_factory=list)  # who let visitors in
    asking: dict[Greenlet, None] = field(
        default_factory=dict
    )  # in the middle of a prompt; ordered, so that runs repeat
    _numbers: Counter[str] = field(default_factory=Counter)
    _minds: dict[str, Minds] = field(default_factory=dict)
    _status: tuple[float, StatusState | None] = (float("-inf"), None)

    def admits(self, intended: float) -> bool:
        """May a prompt that was due at `intended` start? One that is merely late may, or it would be lost silently."""
        return not self.closing and intended < self.cast.end

    def new_user(self, group: str) -> UserIdentity:
        """A new user of a group, under a name that nobody else has."""
        self._numbers[group] += 1
        return UserIdentity(f"{group}-{self.prefix}{self._numbers[group]}", group, self.cast.groups[group].tier)

    def rng(self, who: UserIdentity, purpose: str) -> Random:
        """One stream of chance for each user and purpose, the same in every run of the same seed."""
        return Random(f"{self.cast.seed}/{who.user}/{purpose}")

    def mind(self, who: UserIdentity) -> Mind:
        """How this user decides; what a group shares is shared within the node."""
        if who.group not in self._minds:
            self._minds[who.group] = Minds(self.cast.groups[who.group], self.cast.home(who.group))
        return self._minds[who.group].mind(self.rng(who, "policy"))

    def status(self) -> StatusState | None:
        """What the status page says now, as far as its readers on this node know."""
        now = self.clock.now()
        if self.clock.wall(now - self._status[0]) > STATUS_AGE:
            self._status = (now, self._status[1])  # who looks while it is being read sees what was there before
            self._status = (now, self.cast.status())
        return self._status[1]

    def wait_until(self, t: float) -> None:
        """Sleep until scenario second t; not at all when it has passed."""
        wall = self.clock.wall(t - self.clock.now())
        if wall > 0:
            gevent.sleep(wall)

    def close(self, within: float) -> None:
        """No new prompts; `within` wall seconds for those under way; the rest is unfinished. Safe to call again."""
        self.closing = True
        gevent.killall(self.hosts)
        until = self.clock.now() + self.clock.scenario(within)
        while self.collector.pending and self.clock.now() < until:
            gevent.sleep(LOOK)
        gevent.killall(list(self.asking), block=True, timeout=1.0)
        self.collector.abandon()
