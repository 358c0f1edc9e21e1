"""What a Locust process does in a run: the Coordinator (local runner or master) conducts it, a Worker does as told.

Both are driven by the same two moments, `start` (users are about to come) and `stop` (the test is being stopped, for
whatever reason).
"""

import logging
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import gevent
from locust.env import Environment
from locust.exception import StopUser
from locust.rpc import Message
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from mockbot.clock import Clock
from mockbot.errors import ExitCode, MockbotError, TestbedError, UsageError
from mockbot.evidence.records import Ended
from mockbot.load.collector import Collector
from mockbot.load.dispatch import Counts, Mix
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.locust_options import Options
from mockbot.load.open_arrivals import welcome
from mockbot.load.play import Play
from mockbot.load.recorder import GeneratorError
from mockbot.load.scene import judge, open_play, verdict
from mockbot.load.shape import SPAWN_RATE
from mockbot.load.users import ChatUser
from mockbot.load.web_ui.dashboard_state import DashboardState
from mockbot.load.web_ui.routes import Pages
from mockbot.load.workers import BATCH, FINISH, SETUP, LocalWorkers, RemoteWorkers, Setup, WorkerReporter, Workers
from mockbot.scenario.timeline import Timeline

WORKERS_NEED, LOCAL_NEEDS = 1.0, 0.25  # wall seconds from setting t0 to t0, in which everybody gets ready
PLAIN_DRAIN = 10.0  # wall seconds for the requests under way at the end of a plain test, without --stop-timeout
Users = list[type[ChatUser]]
log = logging.getLogger("mockbot")


def chat_users(environment: Environment) -> Users:
    """The locustfile's classes that are measured. Raises UsageError when there is none."""
    users = [user for user in environment.user_classes if issubclass(user, ChatUser)]
    if not users:
        raise UsageError("the locustfile has no class that inherits mockbot.load.users.ChatUser")
    return users


def refuse_compressed(bases: Users, groups: Iterable[str], speed: float) -> None:
    """Raises UsageError when a group runs a client that keeps its own clock, and the scenario's clock is another."""
    own = sorted({base.group_name for base in bases if base.own_clock} & set(groups))
    if own and speed != 1:
        raise UsageError(
            f"{', '.join(own)}: a real SDK keeps its own clock and cannot be played at speed {speed:g}; use --speed 1"
        )


def classes_of(bases: Users, cast: LoadPlan, node: LoadGenerator | None) -> Users:
    """A class for each group: the locustfile's of that group_name, or else its first one without a clock of its own."""
    by_group = {base.group_name: base for base in reversed(bases)}
    common = next((base for base in bases if not base.own_clock), bases[0])
    classes: Users = []
    for name, group in cast.groups.items():
        own: dict[str, Any] = {"group_name": name, "spec": group, "host": cast.endpoints[cast.home(name)].url}
        if node is not None:
            own["node"] = node
        classes.append(type(name, (by_group.get(name, common),), own))
    return classes


def start_open_arrivals(
    node: LoadGenerator, environment: Environment, timeline: Timeline, turn: int = 0, turns: int = 1
) -> None:
    """From now on visitors of the open groups come as scheduled."""
    classes = {users.group_name: users for users in chat_users(environment)}

    def visit(group: str, due: float) -> None:
        visitor = classes[group](environment)
        try:
            visitor.visit(due)
        except (StopUser, GeneratorError):  # done; or the node knows by now that it is broken
            return
        finally:
            visitor.on_stop()

    node.hosts += welcome(node, timeline, visit, turn, turns)


def plain_plan(bases: Users, options: Options) -> LoadPlan:
    """A plain load test: the locustfile's own groups against one host."""
    host = options.host or next((base.host for base in bases if base.host), None)
    if host is None:
        raise UsageError("say what to load with --host, or what to play with --scenario")
    url = host.rstrip("/").removesuffix("/v1")
    return LoadPlan(groups={base.group_name: base.spec for base in bases}, endpoints={"main": Endpoint(url)})


def said(environment: Environment) -> Namespace:
    """What the command line and the start form say; a master ships it to its workers with every change of users."""
    if environment.parsed_options is None:
        raise TestbedError("mockbot needs Locust's command line; as a library Locust has none")
    return cast("Namespace", environment.parsed_options)


class Coordinator:
    """The process that starts the run and writes it down."""

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, command: str) -> None:
        self._environment = environment
        self._runner = runner
        self._command = command
        self._bases = chat_users(environment)
        self.play: Play | None = None
        self._crew: Workers | None = None
        self.pages: Pages | None = None
        self._given = self.options.scenario
        self._last = 0.0  # scenario second at which the last run ended
        if isinstance(runner, MasterRunner):
            runner.register_message(BATCH, self._on_batch)

    @property
    def options(self) -> Options:
        """As they are now. The start form may change them between runs; a stage is that of the first scenario only."""
        options = Options.of(said(self._environment))
        given = getattr(self, "_given", options.scenario)
        return options if options.scenario == given else replace(options, stage=None, out=None)

    @property
    def now(self) -> float:
        """Scenario second of the run that is on, or at which the last one ended."""
        return self._last if self.play is None or self.play.over else self.play.clock.now()

    def rest(self) -> None:
        """The next run is a plain one."""
        self._environment.user_classes = [*self._bases]

    def conduct(self) -> None:
        """A whole run with a scenario."""
        self._tell_opening(True)
        try:
            self.play = open_play(self.options, self._command)
            refuse_compressed(self._bases, self.play.part.scenario.crowd, self.play.part.speed)
            distributed = isinstance(self._runner, MasterRunner)
            setup = self.play.begin(WORKERS_NEED if distributed else LOCAL_NEEDS)
            self._crew = self._enlist(self.play, setup)
            self._show(self.play)
            self.play.attend(self._crew, lambda: self._runner.user_count)
            self._set_users(self.play.timeline.at(0.0).users)
            self._tell_opening(False)
            self.play.raise_curtain()
            self.play.follow(self._set_users, self._workers)
            self.play.drain()
            self._end("completed")
        except MockbotError as error:
            log.error("%s", error)
            if self.pages is not None and self.pages.board is not None:
                self.pages.board.error = str(error)
            self._end("failed", str(error))
            self._environment.process_exit_code = error.exit_code
        finally:
            self._tell_opening(False)

    def start(self) -> None:
        """Users are about to come; in a run with a scenario all is prepared already."""
        if self.play is not None:
            return
        if isinstance(self._runner, MasterRunner):
            said(self._environment).mockbot_setup = ""
            self._crew = RemoteWorkers(self._runner, lambda _: None)
            return
        try:
            node = _plain_node(self._bases, self.options)
        except UsageError as error:  # the start form named no host
            log.error("%s", error)
            gevent.spawn(self._runner.stop)
            return
        self._crew = LocalWorkers(node, lambda: self._runner.user_count, lambda _: None)

    def stop(self, why: str) -> None:
        """The test is being stopped."""
        if self.play is not None:
            self._end("interrupted", why)
        elif self._crew is not None:
            self._crew.close(self._environment.stop_timeout or PLAIN_DRAIN)
            self._crew = None

    def _enlist(self, play: Play, setup: Setup) -> Workers:
        cast_, take = setup.cast(), play.ledger.take
        if isinstance(self._runner, MasterRunner):
            if not self._runner.worker_count:
                raise TestbedError("no worker is connected; start one, or use --processes")
            setup = replace(setup, workers=tuple(sorted(client.id for client in self._runner.clients.all)))
            said(self._environment).mockbot_setup = SETUP.dump_json(setup).decode()
            self._environment.user_classes = [*classes_of(self._bases, cast_, None)]
            return RemoteWorkers(self._runner, take)
        node = LoadGenerator(cast_, setup.clock, Collector(setup.clock, take))
        self._environment.user_classes = [*classes_of(self._bases, cast_, node)]
        start_open_arrivals(node, self._environment, play.timeline)
        return LocalWorkers(node, lambda: self._runner.user_count, take)

    def _tell_opening(self, opening: bool) -> None:
        if self.pages is not None:
            self.pages.opening = opening

    def _show(self, play: Play) -> None:
        if self.pages is not None:
            self.pages.board = board = DashboardState(play.timeline, play.part.speed, play.clock.t0)
            play.ledger.watcher = board.take

    def _set_users(self, counts: Counts) -> None:
        mix = Mix(self._environment.user_classes, counts)
        self._runner.start(mix.total, SPAWN_RATE, user_classes=mix)

    def _workers(self) -> object:
        """What the placement of users depends on beside their number."""
        if not isinstance(self._runner, MasterRunner):
            return None
        clients = self._runner.clients
        return frozenset(client.id for client in (*clients.ready, *clients.spawning, *clients.running))

    def _end(self, ended: Ended, why: str = "") -> None:
        play = self.play
        if play is None:
            return
        play.end(ended, why)
        if play.told:  # someone else was ending it too
            return
        play.told = True
        self._last, self.play, self._crew = play.info.end, None, None
        code = ExitCode.PASS if play.info.ended == "completed" else ExitCode.INCONCLUSIVE
        if self.options.stage is None:
            code = judge(play.part.folder)
        if self.pages is not None and self.pages.board is not None:
            self.pages.board.verdict = verdict(play.part.folder)
        self._environment.process_exit_code = ExitCode.INTERRUPTED if ended == "interrupted" else code

    def _on_batch(self, msg: Message, **_: Any) -> None:
        if isinstance(self._crew, RemoteWorkers):
            self._crew.take(msg.node_id, msg.data["batch"])


class Worker:
    """A process that only makes load, as the master says."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._bases = chat_users(environment)
        self._part: WorkerReporter | None = None
        runner.register_message(FINISH, self._on_finish, concurrent=True)

    def start(self) -> None:
        """The first users of a run are about to come; the master's Setup is in the options by now."""
        options = said(self._environment)
        if getattr(options, "mockbot_setup", ""):
            setup = SETUP.validate_json(options.mockbot_setup)
            self._part = WorkerReporter(self._runner, setup.cast(), setup.clock)
            self._environment.user_classes = [*classes_of(self._bases, self._part.node.cast, self._part.node)]
            if (me := self._runner.client_id) in setup.workers:
                turn = setup.workers.index(me)
                start_open_arrivals(
                    self._part.node, self._environment, Timeline(setup.scenario), turn, len(setup.workers)
                )
            return
        cast = plain_plan(self._bases, Options.of(options))
        self._part = WorkerReporter(self._runner, cast, Clock(time.time()))
        _appoint(self._bases, self._part.node, options.api_key, options.model)

    def stop(self, _why: str) -> None:
        """Being stopped by the master, who said `finish` before, or by a signal."""
        if self._part is not None:
            self._part.close(0.0)

    def _on_finish(self, msg: Message, **_: Any) -> None:
        data: Mapping[str, float] = msg.data
        if self._part is not None:
            self._part.close(data["within"])


def _plain_node(bases: Users, options: Options) -> LoadGenerator:
    clock = Clock(time.time())
    node = LoadGenerator(plain_plan(bases, options), clock, Collector(clock, lambda _: None))
    _appoint(bases, node, options.api_key, options.model)
    return node


def _appoint(bases: Users, node: LoadGenerator, api_key: str | None, model: str) -> None:
    for base in bases:
        base.node, base.api_key, base.model = node, api_key or None, model
