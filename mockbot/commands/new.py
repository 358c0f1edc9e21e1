"""`mockbot new`: options and answers to prompts in, a commented scenario file out."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mockbot.commands.check import size_of
from mockbot.errors import UsageError
from mockbot.scenario.load import load_scenario
from mockbot.scenario.scaffold import CAUSES, FEWEST, LONGEST, MOST, SHORTEST, Brief, Cause, name_from, scaffold
from mockbot.units.quantities import duration_text, parse_duration


@dataclass(frozen=True, slots=True)
class NewOptions:
    """The command line; None: prompt for it, or the default where there is one. `force`: overwrite the file."""

    file: Path | None = None
    cause: Cause | None = None
    length: str | None = None
    users: int | None = None
    speed: float | None = None
    force: bool = False


def new_command(options: NewOptions) -> None:
    """Write the file. UsageError when a value is missing or out of range, or the file cannot be written."""
    cause = options.cause or _ask("Cause of the outage", "--cause", None, click.Choice(CAUSES))
    length = options.length or _ask("Length of the outage", "--length", "10m", click.STRING)
    try:
        seconds = parse_duration(length)
    except ValueError as error:
        raise UsageError(f"--length: {error}") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise UsageError(f"--length {length}: must be {duration_text(SHORTEST)} to {duration_text(LONGEST)}")
    users = options.users or _ask("Number of users", "--users", 60, click.IntRange(FEWEST, MOST))
    path = options.file or Path(f"my-{cause}.yaml")
    text = scaffold(Brief(name_from(path), cause, seconds, users, options.speed))
    try:
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists already; name another file, or overwrite it with --force") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None
    click.echo(f"{path}: {size_of(load_scenario(path))}; next: mockbot show {path}, mockbot run {path}")


def _ask(question: str, option: str, default: object, kind: "click.ParamType[Any]") -> Any:
    """The user's answer; without a terminal the default, or UsageError when there is none."""
    if is_interactive():
        return click.prompt(question, default=default, type=kind)
    if default is None:
        raise UsageError(f"{option} is required when standard input is not a terminal")
    return default


def is_interactive() -> bool:
    """Whether standard input is a terminal."""
    return sys.stdin.isatty()
