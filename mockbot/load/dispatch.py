"""Exactly so many users of each group: in goes a Mix, out comes how many of each class every worker runs.

Locust picks the class of a new user by weight and takes the newest users away first, so "free falls from 200 to 20
while paying stays at 50" cannot be said to it (locustio/locust #1583, #2270). Here the counts are the input and the
placement is a pure function of counts and workers: no class moves between workers unless a worker comes or goes, and
every change is made at once, because ramps belong to the Timeline.

It leans on names of `UsersDispatcher` that are not public (2.43 to 2.47: `_worker_nodes`, `_users_on_workers`,
`_rebalance`, `_current_user_count`, `_original_user_classes`, `_dispatch_in_progress`); tests/load/test_dispatch.py
is their contract.
"""

from collections.abc import Generator, Mapping, Sequence

from locust import User
from locust.dispatch import UsersDispatcher

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


class ExactDispatcher(UsersDispatcher):
    """Locust's dispatcher for a Mix; the stock one for anything else."""

    _mix: Mix | None = None

    def new_dispatch(
        self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
    ) -> None:
        """Begin towards the counts of a Mix. None (a worker came or went) keeps the counts."""
        if user_classes is not None:
            self._mix = user_classes if isinstance(user_classes, Mix) else None
        super().new_dispatch(target_user_count, spawn_rate, None if self._mix is not None else user_classes)

    def _prepare_rebalance(self) -> None:
        if self._mix is None:
            super()._prepare_rebalance()
            return
        self._place(self._mix)
        self._rebalance = True

    def _dispatcher(self) -> Generator[dict[str, dict[str, int]]]:
        if self._mix is None:
            yield from super()._dispatcher()
            return
        self._dispatch_in_progress = True
        self._rebalance = False
        self._place(self._mix)
        yield self._users_on_workers
        while self._rebalance:  # a worker came or went while Locust carried the yielded counts out
            self._rebalance = False
            yield self._users_on_workers
        self._dispatch_in_progress = False

    def _place(self, mix: Mix) -> None:
        counts = {
            user_class.__name__: mix.counts.get(user_class.__name__, 0) for user_class in self._original_user_classes
        }
        self._users_on_workers = spread(counts, [worker.id for worker in self._worker_nodes])
        self._current_user_count = self.get_current_user_count()
