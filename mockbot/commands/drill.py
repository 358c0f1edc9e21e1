"""`mockbot drill`: an outage that nobody knows in advance; afterwards what people noticed, against what was wrong."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from rich.table import Table

from mockbot.commands.run import RunOptions, run_command
from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.drill_times import DrillNote, drill_result
from mockbot.evidence.verdict import judge
from mockbot.report.drill_page import drill_page, drill_rows
from mockbot.report.plain_console import PlainConsole
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import read_run, read_run_info
from mockbot.runs.judge import compare_runs
from mockbot.runs.notes import read_notes
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.units.formatting import format_clock

LONGER = (1.0, 4.0)  # times that the first phase of a drill lasts, so that nobody knows when the outage comes


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """`target`: a scenario, or a folder of scenario files to draw one from; `seed` None: another one each time."""

    target: str
    run: RunOptions
    seed: int | None = None


def drill_command(options: DrillOptions, console: PlainConsole) -> ExitCode:
    """Play the drill and report it. The exit code is that of a run, whatever the participants noticed."""
    rng = Random(options.seed)  # None: by the system's entropy
    scenario = _drawn(options.target, rng)
    first = scenario.phases[0]
    longer = first.model_copy(update={"lasts": round(first.lasts * rng.uniform(*LONGER), 1)})
    scenario = scenario.model_copy(update={"phases": (longer, *scenario.phases[1:])})
    out = options.run.out or RunFolder.fresh("drill").path
    console.print("a drill: something may go wrong. What you notice:", highlight=False)
    for words in ('--detected "what you see"', '--mitigated "what you did"', '--over "why you think so"', '"anything"'):
        console.print(f"  mockbot note --run {out} {words}", highlight=False, soft_wrap=True)
    console.print(f"  mockbot note --run {out} --abort     ends every fault at once", highlight=False, soft_wrap=True)
    code = run_command(scenario, replace(options.run, out=out, hidden=True), console)
    _report(RunFolder(out), scenario, console)
    return code


def counterfactual_command(
    folder: RunFolder, changes: tuple[str, ...], run: RunOptions, console: PlainConsole
) -> ExitCode:
    """Play a run's timeline again with something changed, and lay the two beside each other."""
    if not changes and run.system is None and run.locustfile is None:
        raise UsageError("--counterfactual: what is different? Say it by --set PATH=VALUE, --system or --locustfile")
    info = read_run_info(folder)
    if info is None:
        raise UsageError(
            f"--counterfactual {folder.path}: no finished run is in this folder; name the one of the drill"
        )
    scenario = load_scenario(folder / RunFile.SCENARIO_YAML, changes)
    out = run.out or RunFolder.fresh(f"{scenario.name}-counterfactual").path
    code = run_command(scenario, replace(run, out=out, speed=run.speed or info.speed), console)
    if code == ExitCode.INTERRUPTED:
        return code
    return compare_runs(folder, RunFolder(out), None, console)


def _drawn(target: str, rng: Random) -> Scenario:
    folder = Path(target)
    if not folder.is_dir():
        return load_scenario(find(target))
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise UsageError(f"{target}: no scenario file (*.yaml) is in this folder; name another one")
    return load_scenario(rng.choice(files))


def _report(folder: RunFolder, scenario: Scenario, console: PlainConsole) -> None:
    """The times that people took, on the terminal and as drill.html."""
    judgement = judge(read_run(folder))
    t0, speed = judgement.run.t0, judgement.run.speed
    if t0 is None:
        return
    notes = [DrillNote(round((note.at - t0) * speed, 1), note.kind, note.says) for note in read_notes(folder)]
    begun = {each.fault for each in judgement.actions if each.does == "begin" and each.confirmed is not None}
    result = drill_result([fault.measured for fault in judgement.faults if fault.id in begun], notes)
    console.print(f"It was: {scenario.title}", highlight=False)
    if not result.outages:
        console.print("no fault began", highlight=False)
    for note in notes:
        if note.kind == "aborted":
            told = f"aborted at {format_clock(note.t)}: what was expected of the outage was not tried to its end"
            console.print(told, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("outage from", "for", "detected after", "mitigated after", "called over after"):
        table.add_column(head, justify="right")
    for row in drill_rows(result):
        table.add_row(*row)
    if result.outages:
        console.print(table)
    console.print(f"false alarms: {len(result.false_alarms)}", highlight=False)
    folder.put(RunFile.DRILL_PAGE, drill_page(scenario.title, result, notes, judgement))
    console.print(f"the page: {folder / RunFile.DRILL_PAGE}", highlight=False, soft_wrap=True)
