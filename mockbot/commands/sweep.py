"""`mockbot simulate NAME --sweep …`: options in; a map in the terminal and `sweep.csv`, `.json`, `.html` out.

The time it takes is estimated from two points and printed before it starts; Ctrl-C keeps what is done.
"""

import time
from collections.abc import Sequence
from itertools import product
from math import prod
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mockbot.commands.simulate import SimulateOptions
from mockbot.errors import ExitCode, UsageError
from mockbot.report.plain_console import heading
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.scale import scaled_to
from mockbot.simulate.engines import prompts
from mockbot.simulate.sweep.axes import at_point, parse_axis
from mockbot.simulate.sweep.grid import Sweep, begin, play_point
from mockbot.simulate.sweep.sweep_page import as_csv, as_json, legend, page, terminal_map
from mockbot.units.quantities import duration_text

LONG = 900.0  # wall seconds from which a sweep has to be asked for with --big
SAMPLE = 64  # points whose prompts are counted to know those of all


def sweep_command(options: SimulateOptions, axes: Sequence[str], console: Console, *, big: bool) -> ExitCode:
    """Play the grid and print it. Raises UsageError before anything is left behind."""
    if options.seeds != 1 or options.compare:
        raise UsageError("--sweep plays every point once, as written; leave --seeds and --compare away")
    scaled = scaled_to(options.scenario, options.users)
    sweep = begin(scaled.scenario, [parse_axis(text) for text in axes], options.engine)
    console.print(heading(options.scenario.title, " (simulated)"))
    if scaled.says:
        console.print(f"scaled: {scaled.says}", highlight=False)
    console.print(f"engine: {sweep.engine}", highlight=False)
    seconds = estimate(sweep)
    cost = f"{prod(sweep.shape):,} points{{}} about {duration_text(float(max(1, round(seconds))))}"
    if seconds > LONG and not big:
        raise UsageError(
            f"--sweep: {cost.format(' would take')} here; ask for fewer (NAME=FROM..TO/STEPS), or add --big"
        )
    folder = RunFolder.create(scaled.scenario, options.out)
    console.print(cost.format(","), highlight=False)
    try:
        _play(sweep, console)
    except KeyboardInterrupt:
        sweep.interrupted = True
    folder.put(RunFile.SWEEP_CSV, as_csv(sweep))
    folder.put(RunFile.SWEEP, as_json(sweep))
    folder.put(RunFile.SWEEP_PAGE, page(sweep, options.command))
    console.print(terminal_map(sweep))
    console.print(legend(sweep), highlight=False)
    for law in sweep.laws:
        console.print(f"theory: {law}", highlight=False)
    if sweep.interrupted:
        console.print(f"interrupted: {len(sweep.points):,} of {prod(sweep.shape):,} points are there", style="yellow")
    console.print(f"run folder: {folder.path}", highlight=False, soft_wrap=True)
    return ExitCode.INTERRUPTED if sweep.interrupted else ExitCode.PASS


def estimate(sweep: Sweep) -> float:
    """Wall seconds of the whole grid: what a prompt costs, times the prompts of all points.

    The cost is that of a point with few prompts, and of a middling one unless the first shows that all take too long.
    """
    rng = Random(0)
    columns, rows = sweep.shape
    places = [(rng.randrange(columns), rng.randrange(rows)) for _ in range(SAMPLE)]
    asked = sorted((prompts(at_point(sweep.scenario, sweep.axes, sweep.values(place))), place) for place in places)
    each = sum(count for count, _ in asked) / len(asked)
    play_point(sweep, asked[0][1])  # the first run compiles or loads the engine
    spent = counted = 0.0
    for count, place in (asked[0], asked[SAMPLE // 2]):
        if not counted or spent / counted * each * columns * rows < LONG:
            before = time.perf_counter()
            play_point(sweep, place)
            spent, counted = spent + time.perf_counter() - before, counted + max(1.0, count)
    return spent / counted * each * columns * rows


def _play(sweep: Sweep, console: Console) -> None:
    parts = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True, disable=not console.is_terminal) as bar:
        columns, rows = sweep.shape
        for place in bar.track(product(range(columns), range(rows)), total=columns * rows):
            sweep.points[place] = play_point(sweep, place)
