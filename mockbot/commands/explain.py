"""`mockbot explain`: options in; five answers on the terminal, as JSON and as a page out.

An interruption keeps the answers that are done.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.errors import ExitCode, UsageError
from mockbot.report.plain_console import heading
from mockbot.report.progress import progress
from mockbot.runs.folder import RUNS, RunFile, RunFolder
from mockbot.scenario.scale import Scaled, scale_by, scaled_to
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import with_answers_made_here
from mockbot.simulate.all_cores import workers_for
from mockbot.simulate.engines import prompts
from mockbot.simulate.explain import duration, failing_over, paying, refreshing, telling
from mockbot.simulate.explain.answer import Answer
from mockbot.simulate.explain.experiment import Experiments, RunResult, result_of
from mockbot.simulate.explain.explanation_page import page
from mockbot.simulate.explain.live_figures import find_live
from mockbot.simulate.explain.setting import Setting, setting_of
from mockbot.units.formatting import format_counted

MOST_SEEDS = 100
ABOUT_RUNS = 40  # of an explanation with three seeds
MOST_PROMPTS = 50_000  # of a run of a crowd that is not chosen by --users: a second or two
FEWEST_SLOTS = 10  # of a provider, for it to be played smaller
QUESTIONS = tuple(each.QUESTION for each in (refreshing, duration, failing_over, telling, paying))


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """The command line. `target`: what the user wrote for the file. `run`: a live run's folder, else the newest."""

    scenario: Scenario
    target: str
    users: float | None = None
    seeds: int = 3
    run: Path | None = None
    as_json: bool = False


def explain_command(options: ExplainOptions, console: Console, progress: Console) -> ExitCode:
    """Answer, print, write the page. Raises UsageError before anything is done."""
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise UsageError(f"--seeds {options.seeds}; give 1 to {MOST_SEEDS}")
    with_answers_made_here(options.scenario, "a simulation")
    live = find_live(options.scenario, options.run, options.target)
    scaled = _smaller(options.scenario) if options.users is None else scaled_to(options.scenario, options.users)
    path = "" if live is None or live.folder is None else str(live.folder)
    setting = setting_of(scaled.scenario)
    if not options.as_json:
        _print_head(options, setting, scaled.says, path, console)
    answers: list[Answer] = []
    code = ExitCode.PASS
    try:
        for each in _answers(options, setting, result_of(live) if live else None, progress):
            answers.append(each)
            if not options.as_json:
                _print_answer(console, each, len(answers), seeds=options.seeds, live=bool(path))
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    folder = RunFolder(Path(path)) if path else RunFolder.fresh(f"{options.scenario.name}-explained")
    whole: dict[str, object] = {
        "version": 1,
        "scenario": options.scenario.name,
        "outage": "" if isinstance(setting, str) else setting.text(),
        "scaled": scaled.says,
        "seeds": options.seeds,
        "live": path or None,
        "answers": [answer.json() for answer in answers],
        "complete": len(answers) == len(QUESTIONS),
    }
    text = json.dumps(whole, indent=1)
    if options.as_json:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    folder.put(RunFile.EXPLAIN, text + "\n")
    folder.put(RunFile.EXPLAIN_PAGE, page(options.scenario, answers, whole))
    if options.as_json:
        return code
    if code is ExitCode.INTERRUPTED:
        console.print(f"interrupted: {len(answers)} of {len(QUESTIONS)} questions answered")
    console.print(f"the page: {folder / RunFile.EXPLAIN_PAGE}", highlight=False, markup=False, soft_wrap=True)
    return code


def _smaller(scenario: Scenario) -> Scaled:
    """A crowd that is answered about within a minute or so; as it is when it is small, or would hardly fill a slot."""
    fewest = min(provider.slots for provider in scenario.providers.values())
    factor = max(MOST_PROMPTS / max(1.0, prompts(scenario)), FEWEST_SLOTS / fewest)
    done = scale_by(scenario, min(1.0, factor))
    return replace(
        done, says=done.says and f"to about {MOST_PROMPTS:,} prompts (--users plays another crowd): {done.says}"
    )


def _answers(
    options: ExplainOptions, setting: Setting | str, live: RunResult | None, console: Console
) -> Iterator[Answer]:
    """One after the other, with the runs that are done, of about how many."""
    whole, done = ABOUT_RUNS * options.seeds / 3, count(1)
    with progress(console, "explaining") as report:

        def another() -> None:
            number = next(done)
            report(number, max(whole, number + 1), format_counted(number, "run"))

        with closing(Experiments(options.seeds, another)) as experiments:
            if not isinstance(setting, str) and not all(question.senseless(setting) for question in QUESTIONS):
                _begin(setting, experiments)
            for question in QUESTIONS:
                yield question.answer(setting, experiments, live)


def _begin(setting: Setting, experiments: Experiments) -> None:
    """The file as written, then the variants of all questions, on all cores."""
    questions = (question for question in QUESTIONS if not question.senseless(setting))
    variants = ((each.scenario, asks.recovery) for asks in questions for each in asks.variants(setting).values())
    whole = chain([(setting.scenario, True)], variants)
    experiments.ahead(whole, lambda seconds: workers_for(ABOUT_RUNS, ABOUT_RUNS * seconds))


def _print_head(options: ExplainOptions, setting: Setting | str, scaled: str, path: str, console: Console) -> None:
    run = f"mockbot run {quote(options.target)}"
    lines = [
        f"scaled: {scaled}" if scaled else "",
        f"simulated with {options.seeds} seed{'s' * (options.seeds > 1)}; ± is the 95 % interval of their mean",
        "(narrower with more --seeds); never: not before the file ends, or the next outage",
        f"live: {path or f'no run of this file under {RUNS}/; `{run}` makes one to compare with'}",
        "" if isinstance(setting, str) else f"the outage: {setting.text()}",
    ]
    console.print(heading(options.scenario.title))
    for line in filter(None, lines):
        console.print(line, highlight=False, markup=False)


def _print_answer(console: Console, answer: Answer, number: int, *, seeds: int, live: bool) -> None:
    console.print()
    console.print(Text(f"{number}. {answer.question}", "bold"))
    console.print(Text(answer.sentence))
    if not answer.makes_sense:
        return
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    theory = any(figure.theory is not None for figure in answer.figures)
    table.add_column("", overflow="fold")
    for column in (f"simulated ({seeds})", *(["theory"] if theory else []), *(["live"] if live else [])):
        table.add_column(column, justify="right", no_wrap=True)
    for figure in answer.figures:
        expected, simulated, seen = figure.words()
        cells = (figure.what, simulated, *([expected] if theory else []), *([seen] if live else []))
        table.add_row(*map(Text, cells))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    console.print()
    for line in answer.lines():
        console.print(Padding(Text(line, "dim"), (0, 0, 0, 2), expand=False))
