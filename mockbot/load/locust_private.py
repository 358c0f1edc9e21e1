"""Everything that mockbot uses of Locust without a promise in its documentation: private names, module constants, names
of its web UI. Known to hold from 2.43 to 2.47; tests/load/test_locust_contract.py fails, and names it, when a
release moves one.
"""

from collections.abc import Callable, Generator
from functools import cache

import locust.runners
import locust.stats
from locust import LoadTestShape, User, argument_parser
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner
from locust.util.load_locustfile import load_locustfile

from mockbot.load.dispatch import Mix, spread

__all__ = ["load_locustfile"]  # path -> its user classes that are not abstract by name, and its shapes

INDEX, REQUEST_STATS = "locust.index", "locust.request_stats"  # Flask endpoints of the web UI's page and its figures
START_PATH = "/swarm"  # where the start form is posted to
EXTENDED_TABS, EXTENDED_TABLES, EXTENDED_STATS = "extended_tabs", "extended_tables", "extended_stats"
GONE_AFTER = 15  # wall seconds without a sign of life of its master, after which a worker leaves
BUSY = frozenset({STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP})  # during a run, the chosen scenario stays


def tune() -> None:
    """Set Locust's module constants for runs of minutes; once per process."""
    # Locust reports workers every 3 s and keeps a point of history every 5 s: too coarse for an outage at speed 20.
    locust.runners.WORKER_REPORT_INTERVAL = 1.0
    locust.stats.HISTORY_STATS_INTERVAL_SEC = 1
    # A worker whose master is gone would go on asking for a minute.
    locust.runners.MASTER_HEARTBEAT_TIMEOUT = GONE_AFTER
    # A worker builds Locust's whole command line once for each of its ~70 options at every change of users, which stops
    # its event loop for 100 ms (2.47, WorkerRunner.handle_message). The answer is always the same.
    argument_parser.default_args_dict = cache(argument_parser.default_args_dict)


class ScenarioShape(LoadTestShape):
    """Locust's first call of `tick` plays the whole run and returns at its end.

    Locust calls `tick` once a second, which at speed 20 would be up to 20 scenario seconds late, and a master skips the
    calls that fall into a ramp (locustio/locust #2242).
    """

    abstract = True  # or importing it would disable `-u -r -t` (locustio/locust #1829)

    def __init__(self, play: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._play = play

    def tick(self) -> None:
        """Returns None, which ends the test, when the run is over."""
        self._play()


def set_shape(environment: Environment, play: Callable[[], None] | None) -> None:
    """Let `play` be the next run; None: Locust's own user count decides."""
    environment.shape_class = shape = ScenarioShape(play) if play else None
    if shape is not None:  # Locust sets a shape's runner only when it creates the runner
        shape.runner = environment.runner


def present_workers(master: MasterRunner) -> frozenset[str]:
    """The ids of the workers that are connected and answer."""
    clients = master.clients
    return frozenset(client.id for client in (*clients.ready, *clients.spawning, *clients.running))


def missing_workers(master: MasterRunner) -> frozenset[str]:
    """The ids of those that stopped answering."""
    return frozenset(client.id for client in master.clients.missing)


def known_workers(master: MasterRunner) -> frozenset[str]:
    """The ids of all workers that the master knows."""
    return frozenset(client.id for client in master.clients.all)


def filter_messages(master: MasterRunner, passes: Callable[[str, Message], bool]) -> None:
    """Let a master handle only the messages for which `passes(client id, message)` is true."""
    handle = master.handle_message

    def filtered(client_id: str, msg: Message) -> None:
        if passes(client_id, msg):
            handle(client_id, msg)

    vars(master)["handle_message"] = filtered


def before_connecting(say: Callable[[WorkerRunner], None]) -> None:
    """Let every worker of this process call `say` before each attempt to reach its master."""
    connect: Callable[[WorkerRunner], None] = WorkerRunner.connect_to_master

    def say_and_connect(runner: WorkerRunner) -> None:
        say(runner)
        connect(runner)

    setattr(WorkerRunner, "connect_to_master", say_and_connect)  # noqa: B010 - mypy allows no other way


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
