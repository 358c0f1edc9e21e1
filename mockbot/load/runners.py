"""What a Locust process does in a run: the Coordinator (local runner or master) plays it, a Worker only makes load.

Locust drives both through the same two events, `start` (users are about to be spawned) and `stop` (the test is being
stopped, for whatever reason).
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
from mockbot.load.live_run import LiveRun
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.locust_options import Options
from mockbot.load.locust_private import known_workers, present_workers
from mockbot.load.open_arrivals import spawn_arrivals
from mockbot.load.recorder import GeneratorError
from mockbot.load.shape import SPAWN_RATE
from mockbot.load.testbed_setup import judge, open_run, verdict
from mockbot.load.users import ChatUser
from mockbot.load.web_ui.dashboard_state import DashboardState
from mockbot.load.web_ui.routes import Pages
from mockbot.load.workers import (
    BATCH,
    FINISH,
    SETUP,
    LocalWorkers,
    RemoteWorkers,
    Setup,
    WorkerReporter,
    Workers,
)
from mockbot.scenario.timeline import Timeline

# Wall seconds from choosing t0 to t0, in which every process gets ready: workers receive the Setup and make their user
# classes from it.
WORKERS_NEED, LOCAL_NEEDS = 1.0, 0.25
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
    """Raises UsageError when a group's client waits in wall time and the scenario is not played in wall time."""
    own = sorted({base.group_name for base in bases if base.own_clock} & set(groups))
    if own and speed != 1:
        raise UsageError(
            f"{', '.join(own)}: a real SDK keeps its own clock and cannot be played at speed {speed:g}; use --speed 1"
        )


def classes_of(bases: Users, plan: LoadPlan, generator: LoadGenerator | None) -> Users:
    """A class for each group: the locustfile's with that group_name, else its first one without a clock of its own."""
    by_group = {base.group_name: base for base in reversed(bases)}
    common = next((base for base in bases if not base.own_clock), bases[0])
    classes: Users = []
    for name, group in plan.groups.items():
        own: dict[str, Any] = {
            "group_name": name,
            "spec": group,
            "host": plan.endpoints[plan.provider_of(name)].url,
        }
        if generator is not None:
            own["generator"] = generator
        classes.append(type(name, (by_group.get(name, common),), own))
    return classes


def start_open_arrivals(
    generator: LoadGenerator, environment: Environment, timeline: Timeline, turn: int = 0, turns: int = 1
) -> None:
    """From now on users of the open groups come as scheduled; `turn` of `turns` is this worker's share of them."""
    classes = {users.group_name: users for users in chat_users(environment)}

    def session(group: str, due: float) -> None:
        user = classes[group](environment)
        try:
            user.visit(due)
        except (StopUser, GeneratorError):  # the run is over; or the failure is recorded in `generator.broken`
            return
        finally:
            user.on_stop()

    generator.arrivals += spawn_arrivals(generator, timeline, session, turn, turns)


def plain_plan(bases: Users, options: Options) -> LoadPlan:
    """A plain load test: the locustfile's own groups against one host. Raises UsageError without a host."""
    host = options.host or next((base.host for base in bases if base.host), None)
    if host is None:
        raise UsageError("say what to load with --host, or what to play with --scenario")
    url = host.rstrip("/").removesuffix("/v1")
    return LoadPlan(groups={base.group_name: base.spec for base in bases}, endpoints={"main": Endpoint(url)})


def prepare_plain(bases: Users, generator: LoadGenerator, api_key: str | None, model: str) -> None:
    """Give the locustfile's own classes what a plain load test needs."""
    for base in bases:
        base.generator, base.api_key, base.model = generator, api_key or None, model


def parsed_options(environment: Environment) -> Namespace:
    """Locust's parsed options, which a master ships to its workers with every change of users.

    Raises TestbedError when Locust is used as a library, which parses none.
    """
    if environment.parsed_options is None:
        raise TestbedError("mockbot needs Locust's command line; as a library Locust has none")
    return cast("Namespace", environment.parsed_options)


class Coordinator:
    """The process that starts a run and records it; it makes the load itself unless it is a master."""

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, command: str) -> None:
        self._environment = environment
        self._runner = runner
        self._command = command
        self._bases = chat_users(environment)
        self.run: LiveRun | None = None
        self._workers: Workers | None = None
        self.pages: Pages | None = None
        self._given = self.options.scenario
        self._last = 0.0  # scenario second at which the last run ended
        if isinstance(runner, MasterRunner):
            runner.register_message(BATCH, self._on_batch)

    @property
    def options(self) -> Options:
        """As the start form last changed them; `testbed` and `out` belong to the first scenario only."""
        options = Options.of(parsed_options(self._environment))
        given = getattr(self, "_given", options.scenario)
        return options if options.scenario == given else replace(options, testbed=None, out=None)

    @property
    def now(self) -> float:
        """The run's scenario second; between runs, the one at which the last run ended."""
        return self._last if self.run is None or self.run.over else self.run.clock.now()

    def expect_plain_run(self) -> None:
        """The next run has no scenario."""
        self._environment.user_classes = [*self._bases]

    def play_scenario(self) -> None:
        """A whole run with a scenario, from the testbed's start to the verdict."""
        self._set_opening(True)
        try:
            self.run = open_run(self.options, self._command)
            refuse_compressed(self._bases, self.run.spec.scenario.crowd, self.run.spec.speed)
            master = self._runner if isinstance(self._runner, MasterRunner) else None
            setup = self.run.begin(LOCAL_NEEDS if master is None else WORKERS_NEED)
            self._workers = self._start_workers(self.run, setup)
            if self.pages is not None:
                self.pages.state = state = DashboardState(self.run.timeline, self.run.spec.speed, self.run.clock.t0)
                self.run.recorder.watcher = state.take
            self.run.set_load(self._workers, lambda: self._runner.user_count)
            self._set_users(self.run.timeline.at(0.0).users)
            self._set_opening(False)
            self.run.start_faults()
            self.run.follow(self._set_users, lambda: None if master is None else present_workers(master))
            self.run.drain()
            self._end("completed")
        except MockbotError as error:
            log.error("%s", error)
            if self.pages is not None and self.pages.state is not None:
                self.pages.state.error = str(error)
            self._end("failed", str(error))
            self._environment.process_exit_code = error.exit_code
        finally:
            self._set_opening(False)

    def start(self) -> None:
        """Users are about to be spawned: prepare a plain run. One with a scenario is prepared by `play_scenario`."""
        if self.run is not None:
            return
        if isinstance(self._runner, MasterRunner):
            parsed_options(self._environment).mockbot_setup = ""
            self._workers = RemoteWorkers(self._runner, lambda _: None)
            return
        try:
            options, clock = self.options, Clock(time.time())
            generator = LoadGenerator(plain_plan(self._bases, options), clock, Collector(clock, lambda _: None))
        except UsageError as error:  # the start form named no host
            log.error("%s", error)
            gevent.spawn(self._runner.stop)
            return
        prepare_plain(self._bases, generator, options.api_key, options.model)
        self._workers = LocalWorkers(generator, lambda: self._runner.user_count, lambda _: None)

    def stop(self, why: str) -> None:
        """The test is being stopped."""
        if self.run is not None:
            self._end("interrupted", why)
        elif self._workers is not None:
            self._workers.close(self._environment.stop_timeout or PLAIN_DRAIN)
            self._workers = None

    def _start_workers(self, run: LiveRun, setup: Setup) -> Workers:
        plan, take = setup.plan(), run.recorder.take
        if isinstance(self._runner, MasterRunner):
            if not self._runner.worker_count:
                raise TestbedError("no worker is present_workers; start one, or use --processes")
            setup = replace(setup, workers=tuple(sorted(known_workers(self._runner))))
            parsed_options(self._environment).mockbot_setup = SETUP.dump_json(setup).decode()
            self._environment.user_classes = [*classes_of(self._bases, plan, None)]
            return RemoteWorkers(self._runner, take)
        generator = LoadGenerator(plan, setup.clock, Collector(setup.clock, take))
        self._environment.user_classes = [*classes_of(self._bases, plan, generator)]
        start_open_arrivals(generator, self._environment, run.timeline)
        return LocalWorkers(generator, lambda: self._runner.user_count, take)

    def _set_opening(self, opening: bool) -> None:
        if self.pages is not None:
            self.pages.opening = opening

    def _set_users(self, counts: Counts) -> None:
        mix = Mix(self._environment.user_classes, counts)
        self._runner.start(mix.total, SPAWN_RATE, user_classes=mix)

    def _end(self, ended: Ended, why: str = "") -> None:
        run = self.run
        if run is None:
            return
        run.end(ended, why)
        if run.reported:  # this method ran in another greenlet meanwhile, and reported the verdict
            return
        run.reported = True
        self._last, self.run, self._workers = run.info.end, None, None
        code = ExitCode.PASS if run.info.ended == "completed" else ExitCode.INCONCLUSIVE
        if self.options.testbed is None:
            code = judge(run.spec.folder)
        if self.pages is not None and self.pages.state is not None:
            self.pages.state.verdict = verdict(run.spec.folder)
        self._environment.process_exit_code = ExitCode.INTERRUPTED if ended == "interrupted" else code

    def _on_batch(self, msg: Message, **_: Any) -> None:
        if isinstance(self._workers, RemoteWorkers):
            self._workers.receive(msg.node_id, msg.data["batch"])


class Worker:
    """A process that only makes load, as the master says."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._bases = chat_users(environment)
        self._reporter: WorkerReporter | None = None
        runner.register_message(FINISH, self._on_finish, concurrent=True)

    def start(self) -> None:
        """The first users of a run are about to be spawned; the master's Setup has come with the options by now."""
        options = parsed_options(self._environment)
        if not getattr(options, "mockbot_setup", ""):
            plan = plain_plan(self._bases, Options.of(options))
            self._reporter = WorkerReporter(self._runner, plan, Clock(time.time()))
            prepare_plain(self._bases, self._reporter.generator, options.api_key, options.model)
            return
        setup = SETUP.validate_json(options.mockbot_setup)
        plan = setup.plan()
        self._reporter = WorkerReporter(self._runner, plan, setup.clock)
        generator = self._reporter.generator
        self._environment.user_classes = [*classes_of(self._bases, plan, generator)]
        if (own_id := self._runner.client_id) in setup.workers:
            turn, turns = setup.workers.index(own_id), len(setup.workers)
            start_open_arrivals(generator, self._environment, Timeline(setup.scenario), turn, turns)

    def stop(self, _why: str) -> None:
        """Stopped by the master, which sent "mockbot.finish" before, or by a signal."""
        if self._reporter is not None:
            self._reporter.close(0.0)

    def _on_finish(self, msg: Message, **_: Any) -> None:
        data: Mapping[str, float] = msg.data
        if self._reporter is not None:
            self._reporter.close(data["within"])
