"""What several commands have in common: types of options, options, the exit codes that their help ends with."""

from math import isnan
from pathlib import Path
from typing import Any

import click


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
EXIT_CODES = """
\b
Exit codes: 0 pass, 1 expectations failed, 2 wrong usage or scenario file,
3 inconclusive, 4 the testbed could not run, 130 interrupted.
"""
