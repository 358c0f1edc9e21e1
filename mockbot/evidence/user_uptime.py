"""Users' time: prompts in, stretches in which a user was up or down out (user-uptime, Hauer et al., NSDI 2020).

A user is down from the `intended` of a prompt that was not good until the end of his next good one, and up for the
rest of the time from his first prompt to the end of his last. One user's prompts come one after the other.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mockbot.evidence.records import Prompt
from mockbot.evidence.sketch import Sketch


@dataclass(slots=True)
class _User:
    seen: float  # until when his time is accounted for
    down_since: float | None = None
    longest: float = 0.0
    failed: bool = False


@dataclass(slots=True)
class Outages:
    """What the users of a group went through. `longest`: each user's longest time down, of those who had any."""

    users: int = 0
    failed: int = 0  # with at least one prompt that was given up or never finished
    longest: Sketch = field(default_factory=Sketch)

    def merge(self, other: "Outages") -> None:
        """Add another group's."""
        self.users += other.users
        self.failed += other.failed
        self.longest.merge(other.longest)


class Stretch(NamedTuple):
    """A time, scenario seconds, in which one user was up or down."""

    start: float
    end: float
    up: bool


@dataclass(slots=True)
class UserUptime:
    """Every user's state; its size is the number of users."""

    _users: dict[tuple[str, str], dict[str, _User]] = field(default_factory=lambda: defaultdict(dict))

    def live(self, prompt: Prompt, *, good: bool) -> list[Stretch]:
        """Account for the time from the user's last prompt to the end of this one."""
        user = self._user(prompt)
        user.failed |= prompt.settled != "answered"
        was_up = user.down_since is None
        start, end = user.seen, max(user.seen, prompt.end)
        turn = max(start, prompt.intended) if was_up and not good else start
        user.seen = end
        if good and was_up:
            return [Stretch(start, end, up=True)]
        _turn(user, prompt.intended, end, good=good)
        return [Stretch(start, turn, up=True), Stretch(turn, end, up=False)]

    def _user(self, prompt: Prompt) -> _User:
        group = self._users[prompt.group, prompt.tier]
        user = group.get(prompt.user)
        if user is None:
            user = group[prompt.user] = _User(prompt.intended)
        return user

    def outages(self) -> Iterator[tuple[str, str, Outages]]:
        """(group, tier, what its users went through)."""
        for (group, tier), users in self._users.items():
            yield group, tier, _outages(users)


def _turn(user: _User, intended: float, end: float, *, good: bool) -> None:
    if not good and user.down_since is None:
        user.down_since = intended
    if user.down_since is not None:
        user.longest = max(user.longest, end - user.down_since)
    if good:
        user.down_since = None


def _outages(users: dict[str, _User]) -> Outages:
    result = Outages(len(users), sum(user.failed for user in users.values()))
    for user in users.values():
        if user.longest:
            result.longest.add(user.longest)
    return result
