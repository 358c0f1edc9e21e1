"""What a Locust process does in a run: the Coordinator (local runner or master) runs it, a Worker only makes load.

Locust calls both at the same two events: `start` (users are about to be spawned) and `stop` (the test is being stopped,
for any reason).
"""

import logging
import platform
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from pydantic import TypeAdapter, ValidationError

from mockbot.clock import Clock, machine
from mockbot.errors import ExitCode, MockbotError, TestbedError, UsageError
from mockbot.evidence.records import Ended
from mockbot.load.clock_offset import ClockOffset, answer_pings
from mockbot.load.collector import Collector
from mockbot.load.dispatch import Counts, Mix
from mockbot.load.introduction import WorkerEvent
from mockbot.load.live_run import LiveRun
from mockbot.load.load_generator import LoadGenerator
from mockbot.load.locust_options import Options, own_introduction, parsed_options
from mockbot.load.locust_private import known_workers, set_shape
from mockbot.load.open_arrivals import start_open_arrivals
from mockbot.load.testbed_setup import judge, open_run, verdict
from mockbot.load.user_classes import classes_of, measured_users, plain_plan, prepare_plain
from mockbot.load.web_ui.dashboard_state import DashboardState, View
from mockbot.load.worker_gate import WorkerGate, report_here
from mockbot.load.workers import (
    BATCH,
    FINISH,
    SETUP,
    LocalWorkers,
    RemoteWorkers,
    Setup,
    WorkerReporter,
    Workers,
    report_broken,
)
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.timeline import Timeline

_EVENT = TypeAdapter(WorkerEvent)
# Wall seconds from choosing t0 to t0, in which every process gets ready: workers receive the Setup and make their user
# classes from it.
WORKERS_NEED, LOCAL_NEEDS = 1.0, 0.25
PLAIN_DRAIN = 10.0  # wall seconds for the requests under way at the end of a plain test, without --stop-timeout
SPAWN_RATE = 100  # never used: ExactDispatcher makes every change at once; Locust warns above 100
log = logging.getLogger("mockbot")


class Coordinator:
    """The process that starts a run and records it. It makes the load itself unless it is a master."""

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, command: str) -> None:
        self._environment = environment
        self._runner = runner
        self._command = command
        self._bases = measured_users(environment, system=Options.of(parsed_options(environment)).system is not None)
        self._stop_timeout = environment.stop_timeout  # of the command line
        self.run: LiveRun | None = None
        self._workers: Workers | None = None
        self.view = View()
        self._first_scenario = Options.of(parsed_options(environment)).scenario
        self._last = 0.0  # scenario second at which the last run ended
        self._gate: WorkerGate | None = None  # of workers from other machines
        if isinstance(runner, MasterRunner):
            runner.register_message(BATCH, self._on_batch)
            answer_pings(runner)
            if (join := self.options.join) is not None:
                self._gate = WorkerGate(runner, own_introduction(environment), join.workers, self._tell)

    @property
    def options(self) -> Options:
        """As the start form last changed them; `testbed` is for the first scenario only, `out` names another one."""
        options = Options.of(parsed_options(self._environment))
        if options.scenario == self._first_scenario:
            return options
        out = options.out and options.out.with_name(f"{options.out.name}-{Path(options.scenario).stem}")
        return replace(options, testbed=None, out=out)

    @property
    def now(self) -> float:
        """The run's scenario second; between runs, the one at which the last run ended."""
        return self._last if self.run is None or self.run.over else self.run.clock.now()

    def choose(self, scenario: str) -> None:
        """The next run plays this scenario; empty: a plain load test."""
        # Locust logs every change of the number of users, which in a scenario is every step of a ramp.
        logging.getLogger("locust.runners").setLevel(logging.WARNING if scenario else logging.INFO)
        if scenario:
            self._environment.stop_timeout = 0.0  # users end by themselves; see ChatUser.stop
        else:
            self._environment.stop_timeout = self._stop_timeout
            self._environment.user_classes = [*self._bases]
        set_shape(self._environment, self.play_scenario if scenario else None)

    def play_scenario(self) -> None:
        """A whole run with a scenario, from the testbed's start to the verdict."""
        self.view.opening = True
        try:
            self.run = run = open_run(self.options, self._command)
            own = sorted({base.group_name for base in self._bases if base.own_clock} & set(run.scenario.crowd))
            if own and run.speed != 1:
                raise UsageError(
                    f"{', '.join(own)}: a real SDK keeps its own clock and cannot be played at speed {run.speed:g}; "
                    "use --speed 1"
                )
            master = self._runner if isinstance(self._runner, MasterRunner) else None
            if self._gate is not None and (join := self.options.join) is not None:
                self._gate.wait(join.wait)
            setup = run.begin(LOCAL_NEEDS if master is None else WORKERS_NEED)
            self._workers = run.workers = self._start_workers(run, setup)
            if self._environment.web_ui is not None:
                self.view.state = DashboardState(
                    run.timeline, run.speed, run.clock.t0, run.both_sides if self.options.system is not None else None
                )
                run.recorder.watcher = self.view.state.take
            # Spawning takes a while, so it begins before t0; users wait for t0 by themselves.
            self._set_users(run.timeline.at(0.0).users)
            self.view.opening = False
            run.start_faults(lambda: self._runner.user_count)
            run.follow(self._set_users)
            run.drain()
            self._end("completed")
        except MockbotError as error:
            log.error("%s", error)
            if self.view.state is not None:
                self.view.state.error = str(error)
            self._end("failed", str(error))
            self._environment.process_exit_code = error.exit_code
        finally:
            self.view.opening = False

    def start(self) -> None:
        """Users are about to be spawned: prepare a plain run. One with a scenario is prepared by `play_scenario`."""
        if self.run is not None:
            return
        if isinstance(self._runner, MasterRunner):
            parsed_options(self._environment).mockbot_setup = ""
            self._workers = RemoteWorkers(self._runner, lambda _: None)
            return
        try:
            options, clock = self.options, Clock.start()
            generator = LoadGenerator(plain_plan(self._bases, options), clock, Collector(clock, lambda _: None))
        except UsageError as error:  # the start form named no host
            log.error("%s", error)
            gevent.spawn(self._runner.stop)
            return
        prepare_plain(self._bases, generator, options)
        self._workers = LocalWorkers(generator, lambda: self._runner.user_count, lambda _: None)

    def stop(self, why: str) -> None:
        """The test is being stopped."""
        if self.run is not None:
            self._end("interrupted", why)
        elif self._workers is not None:
            self._workers.close(self._environment.stop_timeout or PLAIN_DRAIN)
            self._workers = None

    def _start_workers(self, run: LiveRun, setup: Setup) -> Workers:
        plan, take = setup.plan(run.clock), run.recorder.take
        if isinstance(self._runner, MasterRunner):
            if not self._runner.worker_count:
                raise TestbedError("no worker is connected; start one, or use --processes")
            setup = replace(setup, workers=tuple(sorted(known_workers(self._runner))))
            parsed_options(self._environment).mockbot_setup = SETUP.dump_json(setup).decode()
            self._environment.user_classes = [*classes_of(self._bases, plan, None)]
            return RemoteWorkers(self._runner, take)
        generator = LoadGenerator(plan, run.clock, Collector(run.clock, take, take))
        self._environment.user_classes = [*classes_of(self._bases, plan, generator)]
        start_open_arrivals(generator, self._environment, run.timeline)
        return LocalWorkers(generator, lambda: self._runner.user_count, take)

    def _set_users(self, counts: Counts) -> None:
        mix = Mix(self._environment.user_classes, counts)
        self._runner.start(mix.total, SPAWN_RATE, user_classes=mix)

    def _end(self, ended: Ended, why: str = "") -> None:
        run = self.run
        if run is None:
            return
        run.end(ended, why)
        # A signal may end the run in another greenlet while this one waits in `run.end`: one verdict is enough.
        if run.reported:
            return
        run.reported = True
        if self._gate is not None:
            self._gate.open = True
        self._last, self.run, self._workers = run.info.end, None, None
        code = ExitCode.PASS if run.info.ended == "completed" else ExitCode.INCONCLUSIVE
        # The first run on the testbed of `mockbot run` is judged by that command.
        if self.options.testbed is None or run.folder.path != self.options.out:
            code = judge(run.folder)
        if self.view.state is not None:
            self.view.state.verdict = verdict(run.folder)
            self.view.report = run.folder.path / RunFile.REPORT
        self._environment.process_exit_code = ExitCode.INTERRUPTED if ended == "interrupted" else code

    def _tell(self, event: WorkerEvent) -> None:
        log.info("%s", event.says)
        if (out := self.options.out) is not None:
            # A disk that is full, or a folder that is not there yet, must not end what listens to the workers.
            with suppress(OSError), (RunFolder(out) / RunFile.WORKERS).open("ab") as file:
                file.write(_EVENT.dump_json(event) + b"\n")

    def _on_batch(self, msg: Message, **_: Any) -> None:
        if isinstance(self._workers, RemoteWorkers):
            self._workers.receive(msg.node_id, msg.data["batch"])


class Worker:
    """A process that only makes load, for a master."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._bases = measured_users(environment, system=Options.of(parsed_options(environment)).system is not None)
        self._reporter: WorkerReporter | None = None
        joins = Options.of(parsed_options(environment)).join is not None
        self._offset = ClockOffset(runner, partial(report_here, runner) if joins else lambda _: None)
        runner.register_message(FINISH, self._on_finish, concurrent=True)
        if joins:
            environment.process_exit_code = ExitCode.INCONCLUSIVE  # until its last batch was asked for and sent

    def start(self) -> None:
        """The first users of a run are about to be spawned; the master's Setup has come with the options by now."""
        parsed = parsed_options(self._environment)
        if not getattr(parsed, "mockbot_setup", ""):
            options = Options.of(parsed)
            self._reporter = WorkerReporter(self._runner, plain_plan(self._bases, options), Clock.start())
            prepare_plain(self._bases, self._reporter.generator, options)
            return
        try:
            self._prepare(SETUP.validate_json(parsed.mockbot_setup))
        except (MockbotError, ValidationError) as error:  # it has not all that the scenario needs, as a policy's module
            name = f"worker-{self._runner.worker_index}"
            why = f"{name} on {platform.node()} cannot make these users: {error}"
            log.error("%s", why)
            report_broken(self._runner, name, why)

    def _prepare(self, setup: Setup) -> None:
        used = self._offset.reading
        clock = setup.started.on(setup.machine, None if used is None else used.offset)
        plan = setup.plan(clock)
        elsewhere = setup.machine != machine()
        self._reporter = WorkerReporter(self._runner, plan, clock, self._offset if elsewhere else None)
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
        if self._reporter is not None:
            self._reporter.close(float(msg.data["within"]))
            if self._environment.process_exit_code == ExitCode.INCONCLUSIVE:
                self._environment.process_exit_code = ExitCode.PASS
