"""`mockbot check`: scenario files in; one line for each valid file, every problem of the others and warnings out."""

from collections.abc import Sequence
from pathlib import Path

import click

from mockbot.errors import UsageError
from mockbot.scenario.library import find, name_of
from mockbot.scenario.lint import lint
from mockbot.scenario.load import lineage, load_scenario, located
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import duration_text


def check_command(files: Sequence[str]) -> None:
    """Check all files before reporting: UsageError lists the problems of every invalid one."""
    problems = []
    for file in files:
        try:
            path = find(file)
            scenario, (_, *parents) = load_scenario(path), lineage(path)
        except UsageError as error:
            problems.append(str(error))
            continue
        extends = "".join(f", extends {name_of(parent)}" for parent in parents)
        click.echo(f"{file}: ok: {size_of(scenario)}{extends}")
        print_warnings(path)
    if problems:
        raise UsageError("\n".join(problems))


def print_warnings(path: Path, speed: float | None = None) -> None:
    """Print to stderr what is valid but rarely intended; `speed` None: the scenario's own."""
    for line in located(lint(load_scenario(path), speed), path):
        click.echo(f"warning: {line}", err=True)


def size_of(scenario: Scenario) -> str:
    """A scenario's length and the numbers of its parts, for instance "10m, 3 phases, 1 faults, 2 expectations"."""
    timeline = Timeline(scenario)
    parts = {"phases": scenario.phases, "faults": timeline.faults, "expectations": scenario.expect}
    return ", ".join([duration_text(timeline.end), *(f"{len(part)} {name}" for name, part in parts.items())])
