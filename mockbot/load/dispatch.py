"""Exactly so many users of each group: in goes a Mix, out comes how many of each class every worker runs.

Locust picks the class of a new user by weight and takes the newest users away first, so "free falls from 200 to 20
while paying stays at 50" cannot be expressed (locustio/locust #1583, #2270). Here the counts are the input and the
placement is a pure function of counts and workers: no class moves between workers unless a worker comes or goes, and
every change is made at once, because ramps belong to the Timeline.

`ExactDispatcher` in locust_private.py makes Locust follow it.
"""

from collections.abc import Mapping, Sequence

from locust import User

Counts = Mapping[str, int]


class Mix(list[type[User]]):
    """Passes through Locust as `user_classes`; equal when the counts are, so that an unchanged mix starts nothing."""

    def __init__(self, classes: Sequence[type[User]], counts: Counts) -> None:
        super().__init__(classes)
        self.counts = dict(counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mix) and other.counts == self.counts

    __hash__ = None

    @property
    def total(self) -> int:
        """Users of all classes."""
        return sum(self.counts.values())


def spread(counts: Counts, workers: Sequence[str]) -> dict[str, dict[str, int]]:
    """Worker -> class -> users: each class evenly, its odd ones beginning at another worker than the last class's."""
    placed: dict[str, dict[str, int]] = {worker: {} for worker in workers}
    for offset, name in enumerate(sorted(counts)):
        share, odd = divmod(counts[name], len(workers))
        for place, worker in enumerate(workers):
            placed[worker][name] = share + ((place - offset) % len(workers) < odd)
    return placed
