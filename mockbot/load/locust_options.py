"""Locust's command line and start form in, one frozen Options value out; and the options that mockbot adds to both."""

import argparse
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from mockbot.errors import ScenarioError, TestbedError, UsageError
from mockbot.load.introduction import TOKEN, Introduction
from mockbot.scenario.library import names
from mockbot.scenario.load import load_scenario
from mockbot.testbed.start import RunningParts
from mockbot.testbed.system.system_file import System

PLAIN = "none"  # in a form's drop-down: no scenario, a plain load test


class _Suggestions(tuple[str, ...]):
    """Choices of the start form's drop-down; `in` is always true, since a command line may also name a file."""

    __slots__ = ()

    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Join:
    """Workers on other machines. Of a master: how many have to come, within `wait` wall seconds."""

    workers: int
    wait: float
    token: str


@dataclass(frozen=True, slots=True)
class Options:
    """`scenario` empty: a plain load test of `host`. `testbed`: file with the addresses of a running testbed."""

    scenario: str = ""
    speed: float | None = None
    out: Path | None = None
    testbed: Path | None = None
    model: str = "mockbot"
    api_key: str | None = None
    host: str | None = None
    elsewhere: RunningParts | None = None  # service and proxy that run already; their token is in `token_file`
    token_file: Path | None = None
    system: System | None = None  # what the crowd asks instead of the providers
    join: Join | None = None  # None: every worker is of this machine, or of somebody who starts Locust by hand
    traced: bool = False  # requests carry a traceparent

    @classmethod
    def of(cls, parsed: Namespace) -> "Options":
        """From what Locust has parsed. Raises UsageError."""
        if bool(parsed.service) != bool(parsed.toxiproxy_url):
            raise UsageError(
                "--service and --toxiproxy-url belong together, as a testbed that runs elsewhere has both; give both"
            )
        try:
            speed = float(parsed.speed) if parsed.speed else None
        except ValueError:
            speed = 0.0
        if speed is not None and not 0 < speed <= 1000:
            raise UsageError(f"--speed {parsed.speed}; write a number above 0 and up to 1000, like 20")
        elsewhere = RunningParts(parsed.service, parsed.toxiproxy_url, ports=parsed.proxy_ports)
        return cls(
            scenario=scenario_of(parsed),
            speed=speed,
            out=Path(parsed.out) if parsed.out else None,
            testbed=Path(parsed.testbed) if parsed.testbed else None,
            model=parsed.model,
            api_key=parsed.api_key or None,
            host=parsed.host or None,
            elsewhere=elsewhere if parsed.service else None,
            token_file=Path(parsed.token_file) if parsed.token_file else None,
            system=System.model_validate_json(parsed.system) if parsed.system else None,
            join=Join(parsed.join, parsed.join_wait, parsed.join_token) if parsed.join else None,
            traced=parsed.traced,
        )


def parsed_options(environment: Environment) -> Namespace:
    """Locust's parsed options, which a master ships to its workers with every change of users.

    Raises TestbedError when Locust is used as a library, which parses none.
    """
    if environment.parsed_options is None:
        raise TestbedError("mockbot needs Locust's command line; as a library Locust has none")
    return cast("Namespace", environment.parsed_options)


def own_introduction(environment: Environment) -> Introduction:
    """What this process says of itself to a master, or compares with what a worker says."""
    parsed = parsed_options(environment)
    return Introduction.own([Path(each) for each in parsed.locustfile.split(",")], parsed.join_token)


def scenario_of(parsed: Namespace, named: str | None = None) -> str:
    """The scenario's name or file: the one a form `named`, else the command line's; empty: a plain load test."""
    name: str = parsed.scenario if named is None else named
    return "" if name == PLAIN else str(getattr(parsed, "mockbot_files", {}).get(name, name))


class Files(dict[str, str]):
    """Scenario name -> file of the scenarios that a command line gave as files; a form offers them by name."""

    def name(self, text: str) -> str:
        """The scenario's name if `text` is a readable file; else `text`: the check of the options reports the fault."""
        if text in names() or text in self or not Path(text).is_file():
            return text
        try:
            name = load_scenario(Path(text)).name
        except ScenarioError:
            return text
        self[name] = text
        return name


def add_options(parser: LocustArgumentParser, files: Files) -> None:
    """Add mockbot's options to Locust's. `files` are offered beside the bundled scenarios."""
    add: Callable[..., object] = parser.add_argument
    hidden = partial(add, include_in_web_ui=False, help=argparse.SUPPRESS)
    add(
        "--scenario",
        default=PLAIN,
        type=files.name,
        choices=_Suggestions(dict.fromkeys((PLAIN, *files, *names()))),
        metavar="NAME|FILE",
        help="Outage to play: a bundled scenario or a file. Without it: a plain load test of --host.",
    )
    add("--speed", default="", metavar="N", help="Scenario seconds per second; the scenario's own when not given.")
    add("--model", default="mockbot", metavar="NAME", help="Model to ask for in a plain load test.")
    key_help = "API key of a plain load test."
    add("--api-key", default="", metavar="KEY", env_var="OPENAI_API_KEY", is_secret=True, help=key_help)
    out_help = "Run folder; runs/<time>-<scenario> when not given."
    add("--out", default="", metavar="DIR", include_in_web_ui=False, help=out_help)
    # `mockbot run` passes its testbed; docker-compose.yml passes the parts of one that runs in other containers.
    for name in ("--testbed", "--service", "--toxiproxy-url", "--token-file"):
        hidden(name, default="")
    hidden("--proxy-ports", type=int, default=0)
    hidden("--join", type=int, default=0)  # of a master: how many; of a worker: 1
    hidden("--join-wait", type=float, default=0.0)
    hidden("--join-token", default="", env_var=TOKEN, is_secret=True)
    hidden("--traced", action="store_true", default=False)
    # In the environment, because it holds the key, which others could read in a command line or a file.
    hidden("--system", default="", env_var="MOCKBOT_SYSTEM", is_secret=True)
