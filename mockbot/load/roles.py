"""What a Locust process does in a run: the Starter (local runner or master) conducts it, a Worker does as told.

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
from mockbot.load.crew import BATCH, FINISH, SETUP, Crew, LocalCrew, Setup, WorkerCrew, WorkerEnd
from mockbot.load.dispatch import Counts, Mix
from mockbot.load.live_run import LiveRun
from mockbot.load.node import Cast, Node, Place
from mockbot.load.options import Options
from mockbot.load.recorder import GeneratorError
from mockbot.load.shape import SPAWN_RATE
from mockbot.load.testbed_setup import judge, open_run, verdict
from mockbot.load.users import ChatUser
from mockbot.load.visitors import welcome
from mockbot.load.web_ui.board import Board
from mockbot.load.web_ui.routes import Pages
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


def classes_of(bases: Users, cast: Cast, node: Node | None) -> Users:
    """A class for each group: the locustfile's of that group_name, or else its first one without a clock of its own."""
    by_group = {base.group_name: base for base in reversed(bases)}
    common = next((base for base in bases if not base.own_clock), bases[0])
    classes: Users = []
    for name, group in cast.groups.items():
        own: dict[str, Any] = {"group_name": name, "spec": group, "host": cast.places[cast.home(name)].url}
        if node is not None:
            own["node"] = node
        classes.append(type(name, (by_group.get(name, common),), own))
    return classes


def let_in(node: Node, environment: Environment, timeline: Timeline, turn: int = 0, turns: int = 1) -> None:
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


def plain_cast(bases: Users, options: Options) -> Cast:
    """A plain load test: the locustfile's own groups against one host."""
    host = options.host or next((base.host for base in bases if base.host), None)
    if host is None:
        raise UsageError("say what to load with --host, or what to play with --scenario")
    url = host.rstrip("/").removesuffix("/v1")
    return Cast(groups={base.group_name: base.spec for base in bases}, places={"main": Place(url)})


def said(environment: Environment) -> Namespace:
    """What the command line and the start form say; a master ships it to its workers with every change of users."""
    if environment.parsed_options is None:
        raise TestbedError("mockbot needs Locust's command line; as a library Locust has none")
    return cast("Namespace", environment.parsed_options)


class Starter:
    """The process that starts the run and writes it down."""

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, command: str) -> None:
        self._environment = environment
        self._runner = runner
        self._command = command
        self._bases = chat_users(environment)
        self.run: LiveRun | None = None
        self._crew: Crew | None = None
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
        return self._last if self.run is None or self.run.over else self.run.clock.now()

    def rest(self) -> None:
        """The next run is a plain one."""
        self._environment.user_classes = [*self._bases]

    def conduct(self) -> None:
        """A whole run with a scenario."""
        self._tell_opening(True)
        try:
            self.run = open_run(self.options, self._command)
            refuse_compressed(self._bases, self.run.spec.scenario.crowd, self.run.spec.speed)
            distributed = isinstance(self._runner, MasterRunner)
            setup = self.run.begin(WORKERS_NEED if distributed else LOCAL_NEEDS)
            self._crew = self._enlist(self.run, setup)
            self._show(self.run)
            self.run.set_load(self._crew, lambda: self._runner.user_count)
            self._set_users(self.run.timeline.at(0.0).users)
            self._tell_opening(False)
            self.run.start_faults()
            self.run.follow(self._set_users, self._workers)
            self.run.drain()
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
        if self.run is not None:
            return
        if isinstance(self._runner, MasterRunner):
            said(self._environment).mockbot_setup = ""
            self._crew = WorkerCrew(self._runner, lambda _: None)
            return
        try:
            node = _plain_node(self._bases, self.options)
        except UsageError as error:  # the start form named no host
            log.error("%s", error)
            gevent.spawn(self._runner.stop)
            return
        self._crew = LocalCrew(node, lambda: self._runner.user_count, lambda _: None)

    def stop(self, why: str) -> None:
        """The test is being stopped."""
        if self.run is not None:
            self._end("interrupted", why)
        elif self._crew is not None:
            self._crew.close(self._environment.stop_timeout or PLAIN_DRAIN)
            self._crew = None

    def _enlist(self, run: LiveRun, setup: Setup) -> Crew:
        cast_, take = setup.cast(), run.recorder.take
        if isinstance(self._runner, MasterRunner):
            if not self._runner.worker_count:
                raise TestbedError("no worker is connected; start one, or use --processes")
            setup = replace(setup, workers=tuple(sorted(client.id for client in self._runner.clients.all)))
            said(self._environment).mockbot_setup = SETUP.dump_json(setup).decode()
            self._environment.user_classes = [*classes_of(self._bases, cast_, None)]
            return WorkerCrew(self._runner, take)
        node = Node(cast_, setup.clock, Collector(setup.clock, take))
        self._environment.user_classes = [*classes_of(self._bases, cast_, node)]
        let_in(node, self._environment, run.timeline)
        return LocalCrew(node, lambda: self._runner.user_count, take)

    def _tell_opening(self, opening: bool) -> None:
        if self.pages is not None:
            self.pages.opening = opening

    def _show(self, run: LiveRun) -> None:
        if self.pages is not None:
            self.pages.board = board = Board(run.timeline, run.spec.speed, run.clock.t0)
            run.recorder.watcher = board.take

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
        run = self.run
        if run is None:
            return
        run.end(ended, why)
        if run.reported:  # someone else was ending it too
            return
        run.reported = True
        self._last, self.run, self._crew = run.info.end, None, None
        code = ExitCode.PASS if run.info.ended == "completed" else ExitCode.INCONCLUSIVE
        if self.options.stage is None:
            code = judge(run.spec.folder)
        if self.pages is not None and self.pages.board is not None:
            self.pages.board.verdict = verdict(run.spec.folder)
        self._environment.process_exit_code = ExitCode.INTERRUPTED if ended == "interrupted" else code

    def _on_batch(self, msg: Message, **_: Any) -> None:
        if isinstance(self._crew, WorkerCrew):
            self._crew.take(msg.node_id, msg.data["batch"])


class Worker:
    """A process that only makes load, as the master says."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._bases = chat_users(environment)
        self._part: WorkerEnd | None = None
        runner.register_message(FINISH, self._on_finish, concurrent=True)

    def start(self) -> None:
        """The first users of a run are about to come; the master's Setup is in the options by now."""
        options = said(self._environment)
        if getattr(options, "mockbot_setup", ""):
            setup = SETUP.validate_json(options.mockbot_setup)
            self._part = WorkerEnd(self._runner, setup.cast(), setup.clock)
            self._environment.user_classes = [*classes_of(self._bases, self._part.node.cast, self._part.node)]
            if (me := self._runner.client_id) in setup.workers:
                turn = setup.workers.index(me)
                let_in(self._part.node, self._environment, Timeline(setup.scenario), turn, len(setup.workers))
            return
        cast = plain_cast(self._bases, Options.of(options))
        self._part = WorkerEnd(self._runner, cast, Clock(time.time()))
        _appoint(self._bases, self._part.node, options.api_key, options.model)

    def stop(self, _why: str) -> None:
        """Being stopped by the master, who said `finish` before, or by a signal."""
        if self._part is not None:
            self._part.close(0.0)

    def _on_finish(self, msg: Message, **_: Any) -> None:
        data: Mapping[str, float] = msg.data
        if self._part is not None:
            self._part.close(data["within"])


def _plain_node(bases: Users, options: Options) -> Node:
    clock = Clock(time.time())
    node = Node(plain_cast(bases, options), clock, Collector(clock, lambda _: None))
    _appoint(bases, node, options.api_key, options.model)
    return node


def _appoint(bases: Users, node: Node, api_key: str | None, model: str) -> None:
    for base in bases:
        base.node, base.api_key, base.model = node, api_key or None, model
