"""Install mockbot in a Locust process: connect Locust's options and events to the parts of `mockbot.load`.

A locustfile calls `install(events)`. Without `--scenario` its ChatUsers make a plain load test; with it, each group
of the scenario becomes a class of users, the shape follows the timeline, and the process that starts the run (local
or master) also applies the faults.
"""

import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.event import EventHook, Events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from mockbot.errors import MockbotError, TestbedError
from mockbot.load import locust_private
from mockbot.load.live_run import STOPPED
from mockbot.load.locust_options import Files, Options, add_options, own_introduction, parsed_options, scenario_of
from mockbot.load.runners import Coordinator, Worker
from mockbot.load.signal_handling import on_orphaned, on_signal
from mockbot.load.testbed_setup import check
from mockbot.load.user_classes import measured_users, plain_plan
from mockbot.load.web_ui.routes import Pages
from mockbot.load.worker_gate import introduce


def install(events: Events) -> None:
    """Connect this Locust process to mockbot, at the top of a locustfile. `mockbot run` has done it already."""
    if getattr(events, "mockbot", None) is not None:
        return
    locust_private.tune()
    locust_private.before_connecting(_introduce)
    plugin = Plugin()
    setattr(events, "mockbot", plugin)  # noqa: B010 - Locust's class does not know it
    listeners: tuple[tuple[EventHook, Callable[..., None]], ...] = (
        (events.init_command_line_parser, plugin.on_parser),
        (events.init, plugin.on_init),
        (events.test_start, plugin.on_test_start),
        (events.test_stopping, plugin.on_test_stopping),
        (events.quitting, plugin.on_test_stopping),
    )
    for event, listener in listeners:
        event.add_listener(listener)  # type: ignore[no-untyped-call]


def _introduce(runner: WorkerRunner) -> None:
    if Options.of(parsed_options(runner.environment)).join is not None:
        introduce(runner, own_introduction(runner.environment))


class Plugin:
    """One Locust process from its options to its end."""

    def __init__(self) -> None:
        self._role: Coordinator | Worker | None = None
        self._set_up = Event()
        self._why = STOPPED
        self._files = Files()  # scenarios of the command line

    def on_parser(self, parser: LocustArgumentParser, **_: Any) -> None:
        """Add our options; Locust asks for them again at every view of the start form."""
        add_options(parser, self._files)

    def on_init(self, environment: Environment, **_: Any) -> None:
        """Locust is set up and nothing runs yet. Wrong options end the process here, with a message."""
        try:
            self._start_role(environment)
        except MockbotError as error:
            sys.stderr.write(f"mockbot: {error}\n")
            sys.exit(error.exit_code)
        self._set_up.set()
        self._stop_on_signals(environment)
        # gevent counts timers from its loop's last turn, which was before everything was imported: without this,
        # Locust's `-t 5s` on a slow machine expires before the first user is spawned.
        gevent.get_hub().loop.update_now()

    def on_test_start(self, environment: Environment, **_: Any) -> None:
        """Users are about to be spawned.

        Locust reports a worker as ready before it fires `init` there, so the users of a run under way may come before
        `on_init` is done; they wait for it, or they would fail.
        """
        if not isinstance(environment.runner, LocalRunner | MasterRunner):
            self._set_up.wait()
        if self._role is not None:
            self._role.start()

    def on_test_stopping(self, **_: Any) -> None:
        """Users are about to be removed: the end of the run, a signal, the web UI, or the loss of all workers."""
        if self._role is not None:
            self._role.stop(self._why)

    def _start_role(self, environment: Environment) -> None:
        parsed_options(environment).mockbot_files = dict(self._files)
        runner, options = environment.runner, Options.of(parsed_options(environment))
        if isinstance(runner, WorkerRunner):
            self._role = Worker(environment, runner)
            return
        if not isinstance(runner, LocalRunner | MasterRunner):
            raise TestbedError(f"mockbot does not know Locust's {type(runner).__name__}; use one of its own runners")
        check(options)
        if options.join is not None:  # ours are counted once they have introduced themselves: Locust counts none
            parsed_options(environment).expect_workers = 0
        self._role = coordinator = Coordinator(environment, runner, " ".join(sys.argv))
        environment.dispatcher_class = locust_private.ExactDispatcher
        if environment.web_ui is not None:
            Pages(
                environment.web_ui,
                coordinator.view,
                lambda: coordinator.now,
                lambda named: coordinator.choose(scenario_of(parsed_options(environment), named)),
                system=options.system is not None,
            )
        elif not options.scenario:
            plain_plan(measured_users(environment, system=False), options)
        coordinator.choose(options.scenario)

    def _stop_on_signals(self, environment: Environment) -> None:
        options, runner = parsed_options(environment), environment.runner

        def stop(why: str) -> None:
            self._why = why
            if runner is not None:
                runner.quit()
            if environment.web_ui:
                environment.web_ui.stop()  # type: ignore[no-untyped-call]

        on_signal(stop)
        if options.testbed or (options.worker and options.processes):
            on_orphaned(stop)
