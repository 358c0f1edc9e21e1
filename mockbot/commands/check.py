"""`mockbot check`: scenario files in; one line for each valid file, every problem of the others and warnings out."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import click

from mockbot.errors import UsageError
from mockbot.scenario.calm import calm_of
from mockbot.scenario.library import find, name_of
from mockbot.scenario.lint import lint
from mockbot.scenario.load import lineage, load_scenario, located
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_counted, format_duration, format_percent
from mockbot.units.quantities import duration_text

EVERY = 0.2  # seconds between two looks at the files


def check_command(files: Sequence[str]) -> None:
    """Check all files before reporting: UsageError lists the problems of every invalid one."""
    if problems := _checked(files):
        raise UsageError("\n".join(problems))


def watch_command(files: Sequence[str]) -> None:
    """Check them, and again whenever one of them changes, or a file that one of them extends; ends by a signal only."""
    seen, before = None, None
    pause = Event()
    while True:
        found = _state(files)
        if found != seen and found == before:  # nobody is writing any more
            seen = found
            click.echo(f"-- {datetime.now(UTC).astimezone():%H:%M:%S}")
            for problem in _checked(files):
                click.echo(problem, err=True)
        before = found
        pause.wait(EVERY)


def _state(files: Sequence[str]) -> dict[Path, tuple[int, int]]:
    """When each file was written last, in nanoseconds, and its bytes; a file that is not there has none."""
    paths: set[Path] = set()
    for file in files:
        paths.add(Path(file))
        with suppress(UsageError):
            paths.update(lineage(find(file)))
    states = {}
    for path in paths:
        with suppress(OSError):
            states[path] = path.stat().st_mtime_ns, path.stat().st_size
    return states


def _checked(files: Sequence[str]) -> list[str]:
    """Print what each valid file is, and its doubts; the problems of the others."""
    problems = []
    for file in files:
        try:
            path = find(file)
            scenario, (_, *parents) = load_scenario(path), lineage(path)
            doubts = located(lint(scenario), path)
        except UsageError as error:
            problems.append(str(error))
            continue
        extends = "".join(f", extends {name_of(parent)}" for parent in parents)
        click.echo(f"{file}: ok: {size_of(scenario)}{extends}")
        click.echo(calm_text(scenario), nl=False)
        _warn(doubts)
    return problems


def print_warnings(path: Path, speed: float | None = None) -> None:
    """Print to stderr what is valid but rarely intended; `speed` None: the scenario's own."""
    _warn(located(lint(load_scenario(path), speed), path))


def _warn(doubts: Iterable[object]) -> None:
    for doubt in doubts:
        click.echo(f"warning: {doubt}", err=True)


def calm_text(scenario: Scenario) -> str:
    """How busy each provider is while nothing is wrong, and how long its answers take; a line each."""
    calm = calm_of(scenario)
    if calm is None:
        return "  no calm to tell of: each phase has a fault, or nobody asks a provider that mockbot plays\n"
    phase = scenario.phases[calm.phase].name
    return "".join(
        f"  {phase}: {name} is {format_percent(load)} busy; an answer takes {format_duration(calm.p50[name])}"
        f" (p95 {format_duration(calm.p95[name])})\n"
        for name, load in calm.load.items()
    )


def size_of(scenario: Scenario) -> str:
    """A scenario's length and the numbers of its parts, for instance "10m, 3 phases, 1 fault, 2 expectations"."""
    timeline = Timeline(scenario)
    parts = {"phase": scenario.phases, "fault": timeline.faults, "expectation": scenario.expect}
    counted = [format_counted(len(part), name) for name, part in parts.items()]
    return ", ".join([duration_text(timeline.end), *counted])
