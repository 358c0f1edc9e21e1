"""`mockbot simulate`: options in, a run folder, tables and an exit code out.

One run is reported like a live one. With several seeds the table has every measure with its interval, and the exit code
is a pass only when every run passed.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.report.plain_console import heading
from mockbot.report.progress import progress
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.scale import Scaled, scaled_to
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import with_answers_made_here, without_system
from mockbot.simulate.all_cores import done_on_cores, workers_for
from mockbot.simulate.cluster import done_on_cluster, threads_of
from mockbot.simulate.engines import EngineName, choose
from mockbot.simulate.policy_override import policy_of, with_policies
from mockbot.simulate.seed_statistics import spread_of
from mockbot.simulate.simulation import Memory, simulate
from mockbot.units.quantities import duration_text

MOST_SEEDS = 1000
AS_WRITTEN = "as written"  # the column of the table, beside those of --compare


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The command line. `seeds`: how many runs, with the scenario's seed and those after it."""

    scenario: Scenario
    users: float | None = None
    seeds: int = 1
    compare: tuple[str, ...] = ()
    engine: EngineName = "auto"
    out: Path | None = None
    command: str = ""
    on: str | None = None  # address of a dask scheduler, whose cluster does the runs; else this machine's cores

    def check(self) -> None:
        """Raises UsageError when they ask for what no simulation can do."""
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise UsageError(f"--seeds {self.seeds}; give 1 to {MOST_SEEDS}")
        with_answers_made_here(without_system(self.scenario, "a simulation has none"), "a simulation")


def simulate_command(options: SimulateOptions, console: Console) -> ExitCode:
    """Simulate, judge and report. Raises UsageError before anything is done."""
    options.check()
    if options.on is not None:
        if options.seeds == 1 and not options.compare:
            raise UsageError("--on: one run is not shared out; add --seeds N, or a --sweep")
        threads_of(options.on)
    policies = [(text, policy_of(text)) for text in options.compare]
    scaled = scaled_to(options.scenario, options.users)
    console.print(heading(options.scenario.title, " (simulated)"))
    if scaled.says:
        console.print(f"scaled: {scaled.says}", highlight=False)
    console.print(f"engine: {choose(options.engine, scaled.scenario)}", highlight=False)
    if own := [name for name, each in scaled.scenario.providers.items() if each.answers]:
        note = f"not played: answers of {', '.join(own)}; a simulation has no texts, and their lengths follow `tokens`"
        console.print(note, highlight=False)
    before = time.perf_counter()
    code, first = _first_run(options, scaled, console)
    seconds = time.perf_counter() - before
    if first is None or (options.seeds == 1 and not policies):
        return code
    worlds = {AS_WRITTEN: scaled.scenario}
    for text, policy in policies:
        worlds[text] = with_policies(scaled.scenario, lambda _, policy=policy: policy)  # type: ignore[misc]
    columns = _all_runs(options, worlds, first, seconds, console)
    spreads = {name: spread_of(judgements) for name, judgements in columns.items()}
    table = Table("whole run", box=None, pad_edge=False, header_style="bold")
    for name in spreads:
        table.add_column(name, justify="right")
    table.add_row("verdict", *(spread.verdict_words() for spread in spreads.values()))
    for measure in spreads[AS_WRITTEN].measures:
        table.add_row(measure, *(spread.measures[measure].words(measure) for spread in spreads.values()))
    console.print(table)
    if first.sampled:
        console.print(f"{first.sampled}; the interval of several seeds has it in it", highlight=False)
    codes = {ExitCode.of(judgement.verdict) for judgement in columns[AS_WRITTEN]}
    return max(codes, key=[ExitCode.PASS, ExitCode.INCONCLUSIVE, ExitCode.FAIL].index)


def _first_run(options: SimulateOptions, scaled: Scaled, console: Console) -> tuple[ExitCode, Judgement | None]:
    """The run that leaves a folder; no judgement when it was interrupted."""
    folder = RunFolder.create(scaled.scenario, options.out)
    with JournalWriter(folder) as journal, progress(console, "simulating") as report:
        info = simulate(
            scaled.scenario,
            sink=journal.write,
            engine=options.engine,
            watch=lambda now, end: report(now, end, duration_text(round(now))),
            command=options.command,
            scaled=scaled.says,
        )
    write_run_info(folder, replace(info, records=journal.written))
    code = conclude(folder, console)
    if info.ended == "interrupted":
        return ExitCode.INTERRUPTED, None
    return code, judge(read_run(folder))


def _all_runs(
    options: SimulateOptions, worlds: Mapping[str, Scenario], first: Judgement, seconds: float, console: Console
) -> dict[str, list[Judgement]]:
    """Of each column a judgement a seed, on all cores; the first of them is there, and took so many wall seconds."""
    seeds = range(worlds[AS_WRITTEN].seed, worlds[AS_WRITTEN].seed + options.seeds)
    done = {(AS_WRITTEN, seeds[0]): first}
    tasks = [task for task in product(worlds, seeds) if task not in done]
    work = partial(_judged, worlds, options.engine)
    if options.on is not None:
        runs = done_on_cluster(work, tasks, options.on)
    else:
        runs = done_on_cores(work, tasks, workers_for(len(tasks), seconds * len(tasks)))
    with closing(runs), progress(console, "seeds") as report:
        for number, (task, judgement) in enumerate(runs, 1):
            done[task] = judgement
            report(number, len(tasks), f"{number}/{len(tasks)}")
    return {column: [done[column, seed] for seed in seeds] for column in worlds}


def _judged(worlds: Mapping[str, Scenario], engine: EngineName, task: tuple[str, int]) -> Judgement:
    column, seed = task
    memory = Memory()
    info = simulate(worlds[column], seed=seed, sink=memory.take, engine=engine)
    if info.ended == "interrupted":
        raise KeyboardInterrupt
    return judge(memory.evidence(worlds[column], info))
