"""What several commands have in common: types of options, options, the exit codes that their help ends with."""

import functools
import os
from collections.abc import Callable, MutableMapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mockbot.report.plain_console import PlainConsole
    from mockbot.scenario.schema import Scenario


class Number(click.FloatRange):
    """A number within a range. NaN is in none; click's own range lets it through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As click has it."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value} is not a number", param, ctx)
        return number


SPEED = Number(min=0, min_open=True, max=1000)
PORT = click.IntRange(0, 65535)
PROXY = click.Choice(["embedded", "toxiproxy"])
ENGINE = click.Choice(["auto", "reference", "fast"])
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
RUN_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
INTERCEPT = click.option(
    "--intercept", is_flag=True, help="Intercept the client's requests to public hosts; it needs no base URL."
)
INTERCEPT_HOST = click.option(
    "--intercept-host", "intercept_hosts", multiple=True, metavar="HOST=PROVIDER",
    help="Intercept this host, too (repeatable); implies --intercept.",
)  # fmt: skip
TARGET = click.argument("target", metavar="NAME|FILE")
TLS = click.option("--tls", is_flag=True, help="Serve the providers as https URLs, with a CA of this run.")
OTEL = click.option("--otel", metavar="ENDPOINT", help="Send spans and metrics to an OpenTelemetry collector.")
METRICS_PORT = click.option("--metrics-port", type=PORT, help="Serve the crowd's metrics to Prometheus; 0: any port.")
ON_PHASE = click.option(
    "--on-phase", metavar="URL|COMMAND", help="Post JSON to URL, or run COMMAND, when a phase begins."
)
EXIT_CODES = """
\b
Exit codes: 0 pass, 1 expectations failed, 2 wrong usage or scenario file,
3 inconclusive, 4 the testbed could not run, 130 interrupted.
"""


def console(**how: Any) -> "PlainConsole":
    """Where a command writes."""
    from mockbot.report.plain_console import PlainConsole

    if os.environ.get("NO_COLOR"):  # Rich would leave out colours only, and write bold and dim
        how["color_system"] = None
    return PlainConsole(**how)


def scenario_of(target: str) -> "Scenario":
    """The bundled scenario or the file that a command's TARGET names."""
    from mockbot.scenario.library import find
    from mockbot.scenario.load import load_scenario

    return load_scenario(find(target))


def upstream_options(
    environment: MutableMapping[str, str], *, folder: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options to a command, which gets them as `upstreams`; --record, which each command words, is among them.

    `folder`: its --record may also name a run folder, which the command gets as `record`.
    """

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--upstream", "urls", multiple=True, metavar="NAME=URL", help="Where a real provider is.")
        @click.option(
            "--upstream-key", "keys", multiple=True, metavar="NAME=VARIABLE",
            help="Environment variable with the key for it, which replaces the clients' keys.",
        )  # fmt: skip
        @click.option("--replay", "replays", multiple=True, metavar="NAME=FILE", help="Recorded answers to give again.")
        @click.option(
            "--replay-ignore", "ignore", multiple=True, metavar="REGEX",
            help="Text in which a request may differ from the recorded one; ids and times are ignored anyway.",
        )  # fmt: skip
        @click.option("--spend", type=click.IntRange(min=1), metavar="N", help="Send at most N requests to upstreams.")
        @functools.wraps(command)
        def wrapped(
            *args: Any, urls: Sequence[str], keys: Sequence[str], replays: Sequence[str], ignore: tuple[str, ...],
            spend: int | None, record: Sequence[str] = (), **more: Any,
        ) -> None:  # fmt: skip
            if folder:
                folders, record = [each for each in record if "=" not in each], [each for each in record if "=" in each]
                more["record"] = Path(folders[-1]) if folders else None
            from mockbot.commands.upstream_options import upstream_settings

            settings = upstream_settings(urls, keys, record, replays, spend, ignore, environment)
            command(*args, upstreams=settings, **more)

        return wrapped

    return decorated
