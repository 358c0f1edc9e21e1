"""`mockbot simulate NAME --sweep …`: options in; a map in the terminal and `sweep.csv`, `.json`, `.html` out.

How long it takes is measured on three points and told before it starts; Ctrl-C keeps what is done.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mockbot.errors import ExitCode, UsageError
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.schema import Scenario
from mockbot.simulate.sweep import Sweep, begin, play_exact, play_point, samples
from mockbot.simulate.sweep_axes import parse_axis
from mockbot.simulate.sweep_page import as_json, legend, page, table, terminal_map
from mockbot.units.quantities import duration_text

MANY = 20_000  # points that need to be asked for twice


def sweep_command(
    scenario: Scenario, axes: Sequence[str], out: Path | None, command: str, console: Console, *, big: bool
) -> ExitCode:
    """Play the map and tell it. Raises UsageError before anything is done."""
    sweep = begin(scenario, [parse_axis(text) for text in axes])
    seconds = _estimate(sweep)
    if sweep.size > MANY and not big:
        raise UsageError(
            f"--sweep: {sweep.size:,} points would take about {_long(seconds)} here; ask for fewer"
            f" (NAME=FROM..TO/STEPS), or add --big"
        )
    folder = RunFolder.create(scenario, out)
    console.print(f"[bold]{scenario.title}[/bold] (simulated: fluid)")
    console.print(f"{sweep.size:,} points, about {_long(seconds)}", highlight=False)
    try:
        _play(sweep, console)
    except KeyboardInterrupt:
        sweep.interrupted = True
    folder.put(RunFile.SWEEP_CSV, table(sweep))
    folder.put(RunFile.SWEEP, as_json(sweep))
    folder.put(RunFile.SWEEP_PAGE, page(sweep, command))
    _tell(sweep, folder, console)
    return ExitCode.INTERRUPTED if sweep.interrupted else ExitCode.PASS


def _estimate(sweep: Sweep) -> float:
    """Wall seconds of the whole map, from its corners and its middle; the first play compiles or loads the engine."""
    play_point(sweep, tuple(0 for _ in sweep.axes))
    places = [tuple(int((len(axis.values) - 1) * share) for axis in sweep.axes) for share in (0.0, 0.5, 1.0)]
    before = time.perf_counter()
    for place in places:
        play_point(sweep, place)
    return (time.perf_counter() - before) / len(places) * sweep.size


def _long(seconds: float) -> str:
    return duration_text(float(max(1, round(seconds))))


def _play(sweep: Sweep, console: Console) -> None:
    chosen = samples(sweep)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("fluid", total=sweep.size)
        for place in sweep.places():
            sweep.points[place] = play_point(sweep, place)
            bar.advance(task)
        task = bar.add_task("exact", total=len(chosen))
        for place in chosen:
            sweep.points[place] = replace(sweep.points[place], exact=play_exact(sweep, place))
            bar.advance(task)


def _tell(sweep: Sweep, folder: RunFolder, console: Console) -> None:
    console.print(terminal_map(sweep))
    console.print(legend(sweep), highlight=False)
    for law in sweep.laws:
        console.print(f"theory: {law}", highlight=False)
    agreed, of = sweep.agreement()
    console.print(f"exact runs that say the same: {agreed} of {of}", highlight=False)
    if sweep.interrupted:
        console.print(f"interrupted: {len(sweep.points):,} of {sweep.size:,} points are there", style="yellow")
    console.print(f"run folder: {folder.path}", highlight=False, soft_wrap=True)
