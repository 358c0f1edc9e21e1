"""`mockbot simulate`: options in, a run folder, tables and an exit code out.

One run is reported like a live one. With several seeds the table has every measure with its interval, and the exit code
is a pass only when every run passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.report.plain_console import heading
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.scale import Scaled, scaled_to
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import without_system
from mockbot.simulate.engines import EngineName, choose
from mockbot.simulate.policy_override import policy_of, with_policies
from mockbot.simulate.seed_statistics import spread_of
from mockbot.simulate.simulation import Memory, Watch, simulate
from mockbot.units.quantities import duration_text

MOST_SEEDS = 1000


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


def simulate_command(options: SimulateOptions, console: Console) -> ExitCode:
    """Simulate, judge and report. Raises UsageError before anything is done."""
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise UsageError(f"--seeds {options.seeds}: 1 to {MOST_SEEDS}")
    without_system(options.scenario, "a simulation has none")
    policies = [(text, policy_of(text)) for text in options.compare]
    scaled = scaled_to(options.scenario, options.users)
    console.print(heading(options.scenario.title, " (simulated)"))
    if scaled.says:
        console.print(f"scaled: {scaled.says}", highlight=False)
    console.print(f"engine: {choose(options.engine, scaled.scenario)}", highlight=False)
    if own := [name for name, each in scaled.scenario.providers.items() if each.answers]:
        note = f"not played: answers of {', '.join(own)}; a simulation has no texts, and their lengths follow `tokens`"
        console.print(note, highlight=False)
    code, first = _first_run(options, scaled, console)
    if first is None or (options.seeds == 1 and not policies):
        return code
    columns = {"as written": _more_runs(options, scaled.scenario, console, first)}
    for text, policy in policies:
        changed = with_policies(scaled.scenario, lambda _, policy=policy: policy)  # type: ignore[misc]
        columns[text] = _more_runs(options, changed, console)
    spreads = {name: spread_of(judgements) for name, judgements in columns.items()}
    table = Table("whole run", box=None, pad_edge=False, header_style="bold")
    for name in spreads:
        table.add_column(name, justify="right")
    table.add_row("verdict", *(spread.verdict_words() for spread in spreads.values()))
    for measure in spreads["as written"].measures:
        table.add_row(measure, *(spread.measures[measure].words(measure) for spread in spreads.values()))
    console.print(table)
    if first.sampled:
        console.print(f"{first.sampled}; the interval of several seeds has it in it", highlight=False)
    codes = {ExitCode.of(judgement.verdict) for judgement in columns["as written"]}
    return max(codes, key=[ExitCode.PASS, ExitCode.INCONCLUSIVE, ExitCode.FAIL].index)


def _first_run(options: SimulateOptions, scaled: Scaled, console: Console) -> tuple[ExitCode, Judgement | None]:
    """The run that leaves a folder; no judgement when it was interrupted."""
    folder = RunFolder.create(scaled.scenario, options.out)
    with JournalWriter(folder) as journal, _progress(console, "simulating") as watch:
        info = simulate(
            scaled.scenario,
            sink=journal.write,
            engine=options.engine,
            watch=watch,
            command=options.command,
            scaled=scaled.says,
        )
    write_run_info(folder, replace(info, records=journal.written))
    code = conclude(folder, console)
    if info.ended == "interrupted":
        return ExitCode.INTERRUPTED, None
    return code, judge(read_run(folder))


def _more_runs(
    options: SimulateOptions, scenario: Scenario, console: Console, first: Judgement | None = None
) -> list[Judgement]:
    """One judgement a seed; the first seed's may be there already."""
    judgements = [] if first is None else [first]
    for number in range(len(judgements), options.seeds):
        memory = Memory()
        with _progress(console, f"seed {scenario.seed + number}") as watch:
            info = simulate(scenario, seed=scenario.seed + number, sink=memory.take, engine=options.engine, watch=watch)
        if info.ended == "interrupted":
            raise KeyboardInterrupt
        judgements.append(judge(memory.evidence(scenario, info)))
    return judgements


@contextmanager
def _progress(console: Console, what: str) -> Iterator[Watch]:
    """A bar with the time left; nothing where the console is no terminal."""
    columns = TextColumn(what), BarColumn(), TextColumn("{task.fields[at]}"), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, at="")

        def watch(now: float, end: float) -> None:
            bar.update(task, completed=now, total=end, at=duration_text(round(now)))

        yield watch
