"""Users' time: prompts in, stretches in which a user was up or down out (user-uptime, Hauer et al., NSDI 2020).

A user is down from the `intended` of a prompt that was not good until the end of their next good one, and up for the
rest of the time from their first prompt to the end of the last. The prompts of one user follow one after the other.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mockbot.evidence.records import Prompt
from mockbot.evidence.sketch import Sketch


@dataclass(slots=True)
class _User:
    counted_until: float
    down_since: float | None = None
    longest: float = 0.0
    failed: bool = False


@dataclass(slots=True)
class Outages:
    """The outages of a group's users. `longest`: the longest time down of each user who was ever down."""

    users: int = 0
    failed: int = 0  # users with at least one prompt that was given up or never finished
    longest: Sketch = field(default_factory=Sketch)

    def merge(self, other: "Outages") -> None:
        """Add the outages of another group."""
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
    """The state of every user; its size is the number of users."""

    _users: dict[tuple[str, str], dict[str, _User]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, prompt: Prompt, *, good: bool) -> list[Stretch]:
        """The stretches from the end of the user's last prompt to the end of this one."""
        group = self._users[prompt.group, prompt.tier]
        user = group.get(prompt.user)
        if user is None:
            user = group[prompt.user] = _User(prompt.intended)
        user.failed |= prompt.settled != "answered"
        # The prompts inferred for one API key of an external client may overlap.
        start, end = user.counted_until, max(user.counted_until, prompt.end)
        user.counted_until = end
        if user.down_since is None:
            if good:
                return [Stretch(start, end, up=True)]
            user.down_since, turn = prompt.intended, max(start, prompt.intended)
        else:
            turn = start
        user.longest = max(user.longest, end - user.down_since)
        if good:
            user.down_since = None
        return [Stretch(start, turn, up=True), Stretch(turn, end, up=False)]

    def outages(self) -> Iterator[tuple[str, str, Outages]]:
        """(group, tier, outages of its users)."""
        for (group, tier), users in self._users.items():
            result = Outages(len(users), sum(user.failed for user in users.values()))
            for user in users.values():
                if user.longest:
                    result.longest.add(user.longest)
            yield group, tier, result
