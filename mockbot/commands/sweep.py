"""`mockbot simulate NAME --sweep …`: options in; a map in the terminal and `sweep.csv`, `.json`, `.html` out.

The time it takes is estimated from its first runs and printed before the others start, on all cores. Every run is kept
as soon as it is done, so that the same command goes on after Ctrl-C.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from functools import partial

from rich.console import Console

from mockbot.commands.simulate import SimulateOptions
from mockbot.errors import ExitCode, UsageError
from mockbot.report.page import plotly_bundle
from mockbot.report.plain_console import heading
from mockbot.report.progress import progress
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.scale import scaled_to
from mockbot.simulate.all_cores import START, cores, done_on_cores, workers_for
from mockbot.simulate.cluster import done_on_cluster, threads_of
from mockbot.simulate.engines import prompts
from mockbot.simulate.sweep.axes import parse_axis
from mockbot.simulate.sweep.grid import Ran, Sweep, Task, begin, play
from mockbot.simulate.sweep.kept_runs import KeptRuns, interrupted
from mockbot.simulate.sweep.sweep_page import as_csv, as_json, laws, legend, page, sentences, terminal_map
from mockbot.units.formatting import format_count
from mockbot.units.quantities import duration_text

SAMPLE = 1000  # runs whose prompts are counted to know those of all
LONG = 900.0  # wall seconds from which a sweep has to be asked for with --big
Weigh = Callable[[Task], float]


def sweep_command(options: SimulateOptions, axes: Sequence[str], console: Console, *, big: bool) -> ExitCode:
    """Play the grid and print it. Raises UsageError before anything is left behind."""
    if options.compare:
        raise UsageError("--sweep plays the policies as written; leave --compare away")
    options.check()
    threads = threads_of(options.on) if options.on is not None else 0
    scaled = scaled_to(options.scenario, options.users)
    sweep = begin(scaled.scenario, [parse_axis(text) for text in axes], options.engine, options.seeds)
    console.print(heading(options.scenario.title, " (simulated)"))
    if scaled.says:
        console.print(f"scaled: {scaled.says}", highlight=False)
    console.print(f"engine: {sweep.engine}", highlight=False)
    kept = interrupted(sweep, options.out)
    if kept is not None:
        console.print(f"goes on in {kept.folder.path}: {_there(sweep)}", highlight=False, soft_wrap=True)
    elif options.out is not None:
        RunFolder(options.out).require_free()
    weigh = weights(sweep)
    with ExitStack() as stack:

        def opened() -> KeptRuns:
            return stack.enter_context(closing(kept or KeptRuns(RunFolder.create(scaled.scenario, options.out))))

        try:
            tasks, workers = _planned(sweep, weigh, console, threads, big=big)
            kept = opened()
            kept.save(sweep)
            work = partial(play, sweep.scenario, sweep.axes, sweep.engine)
            on = options.on
            done = done_on_cores(work, tasks, workers) if on is None else done_on_cluster(work, tasks, on)
            _keep(sweep, tasks, done, kept, weigh, console)
        except KeyboardInterrupt:
            if not sweep.ran:
                raise
            kept = opened()
            kept.save(sweep)
    _tell(sweep, kept.folder, options.command, console)
    return ExitCode.INTERRUPTED if sweep.missing else ExitCode.PASS


def _planned(sweep: Sweep, weigh: Weigh, console: Console, threads: int, *, big: bool) -> tuple[list[Task], int]:
    """(the runs that are still missing, on so many cores), after the first have told how long they take.

    `threads`: of a cluster, 0: there is none.
    """
    runs = f"{format_count(sweep.size)} points"
    if sweep.seeds > 1:
        runs += f", {format_count(sweep.seeds)} runs each"
    with console.status(f"{runs}: the first tell how long it takes"):
        serial = estimate(sweep, weigh, big=big)
    workers = threads or workers_for(sweep.runs - len(sweep.ran), serial)
    seconds = serial if workers <= 1 else START + serial / workers
    told = f"about {duration_text(float(max(1, round(seconds))))} on {workers} core{'s' * (workers > 1)}"
    if threads:
        told += " of the cluster"
    if seconds > LONG and not big:
        raise UsageError(f"--sweep: {runs} would take {told}; ask for fewer (NAME=FROM..TO/STEPS), or add --big")
    console.print(f"{runs}, {told}", highlight=False)
    return sweep.missing, workers


def _there(sweep: Sweep) -> str:
    return f"{format_count(len(sweep.ran))} of {format_count(sweep.runs)} runs are there"


def weights(sweep: Sweep) -> Weigh:
    """About how many prompts a run has: as many as at the same column of the first row, in proportion to its row."""
    columns, rows = sweep.shape
    first = [max(1.0, prompts(sweep.world((column, 0)))) for column in range(columns)]
    factors = [max(1.0, prompts(sweep.world((0, row)))) / first[0] for row in range(rows)]
    return lambda task: first[task.place[0]] * factors[task.place[1]]


def estimate(sweep: Sweep, weigh: Weigh, *, big: bool) -> float:
    """Wall seconds that all missing runs would take one after the other; it plays up to three, from the shortest on.

    The fast engine is loaded, or compiled, during the first, which says nothing then.
    """
    step = 1 + sweep.runs // SAMPLE
    ordered = sorted({*map(sweep.task, range(0, sweep.runs, step))} - sweep.ran.keys(), key=weigh)
    whole, spent, counted = step * sum(map(weigh, ordered)), 0.0, 0.0
    for number, task in enumerate(ordered[:: max(1, len(ordered) // 4)][:3]):
        if counted and spent / counted * whole / cores() > LONG and not big:
            break
        before = time.perf_counter()
        sweep.ran[task] = play(sweep.scenario, sweep.axes, sweep.engine, task)
        if number or sweep.engine == "reference":
            spent, counted = spent + time.perf_counter() - before, counted + weigh(task)
    return spent / counted * whole - spent if counted else 0.0


def _keep(
    sweep: Sweep, tasks: Sequence[Task], done: Generator[tuple[Task, Ran]], kept: KeptRuns, weigh: Weigh,
    console: Console,
) -> None:  # fmt: skip
    size, whole, played = format_count(sweep.runs), sum(map(weigh, tasks)), 0.0
    with progress(console, "sweep") as report, closing(done):
        plotly_bundle()  # packed while the workers start: an interruption leaves little time for the page
        for task, ran in done:
            sweep.ran[task] = ran
            kept.keep(task, ran)
            played += weigh(task)
            report(played, whole, f"{format_count(len(sweep.ran))}/{size} runs")


def _tell(sweep: Sweep, folder: RunFolder, command: str, console: Console) -> None:
    folder.put(RunFile.SWEEP_CSV, as_csv(sweep))
    folder.put(RunFile.SWEEP, as_json(sweep))
    folder.put(RunFile.SWEEP_PAGE, page(sweep, command))
    console.print(terminal_map(sweep))
    console.print(legend(sweep), highlight=False)
    for line in sentences(sweep):
        console.print(line, highlight=False)
    for law in laws(sweep):
        console.print(f"theory: {law}", highlight=False)
    if sweep.missing:
        console.print(f"interrupted: {_there(sweep)}; the same command goes on from there", style="yellow")
    console.print(f"run folder: {folder.path}", highlight=False, soft_wrap=True)
