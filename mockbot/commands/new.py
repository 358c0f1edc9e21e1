"""`mockbot new`: options and answers to prompts in, a commented scenario file out."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mockbot.commands.check import size_of
from mockbot.errors import UsageError
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.library import find, name_of, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.scaffold import LONGEST, SCHEMA_FILE, SHORTEST, Brief, child_of, name_from, scaffold
from mockbot.scenario.scaffold_choices import BROKE, CAUSES, FEWEST, MOST, Broke, Cause
from mockbot.units.quantities import duration_text, parse_duration


@dataclass(frozen=True, slots=True)
class NewOptions:
    """The command line; None: prompt for it, or the default where there is one. `force`: overwrite the file.

    `parent`: the scenario to extend; nothing else is asked then.
    """

    file: Path | None = None
    parent: str | None = None
    cause: Cause | None = None
    broke: Broke | None = None
    length: str | None = None
    users: int | None = None
    speed: float | None = None
    force: bool = False


def new_command(options: NewOptions) -> None:
    """Write the file. UsageError when a value is missing or out of range, or the file cannot be written."""
    if options.parent is not None:
        _extend(options, options.parent)
        return
    cause = options.cause or _ask("Cause of the outage", "--cause", None, click.Choice(CAUSES))
    broke: Broke = "everything"
    if cause == "failure":
        broke = options.broke or _ask("What broke", "--broke", "everything", click.Choice(BROKE))
    elif options.broke is not None:
        raise UsageError(f"--broke {options.broke}: says how a failure shows; with --cause {cause} leave it out")
    length = options.length or _ask("Length of the outage", "--length", "10m", click.STRING)
    try:
        seconds = parse_duration(length)
    except ValueError as error:
        raise UsageError(f"--length: {error}") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise UsageError(f"--length {length}; give {duration_text(SHORTEST)} to {duration_text(LONGEST)}")
    users = options.users or _ask("Number of users", "--users", 60, click.IntRange(FEWEST, MOST))
    path = options.file or Path(f"my-{cause}.yaml")
    _write(path, scaffold(Brief(name_from(path), cause, seconds, users, options.speed, broke)), options.force)


def _extend(options: NewOptions, parent: str) -> None:
    if any((options.cause, options.broke, options.length, options.users, options.speed)):
        raise UsageError("--from takes everything from that scenario; change it in the file that is written")
    parent = name_of(find(parent))
    path = options.file or Path(f"my-{Path(parent).stem}.yaml")
    known = parent if parent in names() else os.path.relpath(parent, path.parent)
    _write(path, child_of(known, name_from(path)), options.force)


def _write(path: Path, text: str, force: bool) -> None:
    """The file, and the schema beside it that its first line names."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
        path.with_name(SCHEMA_FILE).write_text(schema_json(), "utf-8")
    except FileExistsError:
        raise UsageError(f"{path} exists already; name another file, or overwrite it with --force") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}; name another file") from None
    click.echo(f"{path}: {size_of(load_scenario(path))}; next: mockbot show {path}, mockbot run {path}")


def _ask(question: str, option: str, default: object, kind: "click.ParamType[Any]") -> Any:
    """The user's answer; without a terminal the default, or UsageError when there is none."""
    if is_interactive():
        return click.prompt(question, default=default, type=kind)
    if default is None:
        raise UsageError(f"standard input is no terminal, so nobody can be asked; give {option}")
    return default


def is_interactive() -> bool:
    """Whether standard input is a terminal."""
    return sys.stdin.isatty()
