"""mockbot inside Locust: options and events in, the parts of `mockbot.load` wired to them.

A locustfile calls `install(events)`. Without `--scenario` its ChatUsers make a plain load test; with it, each group
of the scenario becomes a class of users, the shape follows the timeline, and the process that starts the run (local
or master) also applies the faults.
"""

import logging
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import gevent
import locust.runners
import locust.stats
from gevent.event import Event
from locust import argument_parser
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.event import EventHook, Events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from mockbot.errors import MockbotError, TestbedError
from mockbot.load import guard
from mockbot.load.dispatch import ExactDispatcher
from mockbot.load.options import Files, Options, add_options, scenario_of
from mockbot.load.roles import Starter, Worker, chat_users, plain_cast, said
from mockbot.load.shape import ScenarioShape
from mockbot.load.testbed_setup import check
from mockbot.load.web_ui.routes import Pages


def install(events: Events) -> None:
    """Make this Locust process speak mockbot; once, at the top of a locustfile."""
    # Locust reports workers every 3 s and keeps a point of history every 5 s: too coarse for an outage at speed 20.
    locust.runners.WORKER_REPORT_INTERVAL = 1.0
    locust.stats.HISTORY_STATS_INTERVAL_SEC = 1
    # A worker builds Locust's whole command line once for each of its ~70 options at every change of users, which stops
    # its event loop for 100 ms (2.47, WorkerRunner.handle_message). The answer is always the same.
    argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
    plugin = Plugin()
    listeners: tuple[tuple[EventHook, Callable[..., None]], ...] = (
        (events.init_command_line_parser, plugin.on_parser),
        (events.init, plugin.on_init),
        (events.test_start, plugin.on_test_start),
        (events.test_stopping, plugin.on_test_stopping),
        (events.quitting, plugin.on_test_stopping),
    )
    for event, listener in listeners:
        event.add_listener(listener)  # type: ignore[no-untyped-call]


class Plugin:
    """One Locust process from its options to its end."""

    def __init__(self) -> None:
        self._role: Starter | Worker | None = None
        self._set_up = Event()
        self._why = "stopped before its end"
        self._files = Files()  # scenarios of the command line
        self._stop_timeout = 0.0  # of the command line

    def on_parser(self, parser: LocustArgumentParser, **_: Any) -> None:
        """Asked for again at every view of the start form."""
        add_options(parser, self._files)

    def on_init(self, environment: Environment, **_: Any) -> None:
        """The process is set up; nothing runs yet. What is wrong with the options ends it here, with a sentence."""
        try:
            self._cast_role(environment)
        except MockbotError as error:
            sys.stderr.write(f"mockbot: {error}\n")
            sys.exit(error.exit_code)
        self._set_up.set()
        self._guard(environment)
        # gevent starts timers at the time of its loop's last turn, which was before everything was imported: without
        # this, -t 5s on a slow machine is over before it has begun.
        gevent.get_hub().loop.update_now()

    def on_test_start(self, environment: Environment, **_: Any) -> None:
        """Users are about to come. A worker has told its master that it is ready before Locust says `init` to it, so
        that the users of a run that is on may come first: they wait, or they would be lost."""
        if not isinstance(environment.runner, LocalRunner | MasterRunner):
            self._set_up.wait()
        if self._role is not None:
            self._role.start()

    def on_test_stopping(self, **_: Any) -> None:
        """Users are about to be taken away: the end, a signal, the web UI, the loss of all workers."""
        if self._role is not None:
            self._role.stop(self._why)

    def _cast_role(self, environment: Environment) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        said(environment).mockbot_files = dict(self._files)
        runner, options = environment.runner, Options.of(said(environment))
        if isinstance(runner, WorkerRunner):
            self._role = Worker(environment, runner)
            return
        if not isinstance(runner, LocalRunner | MasterRunner):
            raise TestbedError(f"mockbot does not know Locust's {type(runner).__name__}")
        check(options)
        self._stop_timeout = environment.stop_timeout
        self._role = starter = Starter(environment, runner, " ".join(sys.argv))
        environment.dispatcher_class = ExactDispatcher
        if environment.web_ui is not None:
            starter.pages = Pages(
                environment.web_ui,
                lambda: starter.now,
                lambda named: self._choose(environment, starter, scenario_of(said(environment), named)),
            )
        elif not options.scenario:
            plain_cast(chat_users(environment), options)
        self._choose(environment, starter, options.scenario)

    def _choose(self, environment: Environment, starter: Starter, scenario: str) -> None:
        """The next run is one of this scenario; a plain one when it is empty."""
        logging.getLogger("locust.runners").setLevel(logging.WARNING if scenario else logging.INFO)  # a ramp's steps
        if not scenario:
            starter.rest()
            environment.stop_timeout = self._stop_timeout
            environment.shape_class = None
            return
        environment.stop_timeout = 0.0  # users leave at their own gate; see ChatUser.stop
        environment.shape_class = ScenarioShape(starter.conduct)
        environment.shape_class.runner = environment.runner

    def _guard(self, environment: Environment) -> None:
        options, runner = said(environment), environment.runner

        def stop(why: str) -> None:
            self._why = why
            if runner is not None:
                runner.quit()
            if environment.web_ui:
                environment.web_ui.stop()  # type: ignore[no-untyped-call]

        guard.on_signal(stop)
        if options.stage or (options.worker and options.processes):
            guard.on_orphaned(stop)
