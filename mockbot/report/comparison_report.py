"""A comparison in, its table on the terminal and its page out. The page shows both timelines in the same charts."""

import math
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.errors import ExitCode
from mockbot.evidence.compare import Change, Comparison, Difference
from mockbot.evidence.verdict import JudgedRun
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.text import format_in_unit, format_value
from mockbot.report.overlays import overlays
from mockbot.report.page import render
from mockbot.scenario.shorten import MIN_PROMPTS
from mockbot.units.formatting import format_points

MEASURE, VALUE, INTERVAL = 19, 7, 22  # characters
STYLES: dict[Change, str] = {"worse": "bold red", "better": "green", "traded": "yellow", "same": "", "unknown": "dim"}


def exit_code(comparison: Comparison) -> ExitCode:
    """FAIL when the second run is worse beyond noise, INCONCLUSIVE when that cannot be told."""
    if comparison.broken:
        return ExitCode.INCONCLUSIVE
    if comparison.worse:
        return ExitCode.FAIL
    return ExitCode.PASS if comparison.decided else ExitCode.INCONCLUSIVE


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print the measures of the whole run, and in any other scope those that differ."""
    differ = {"better", "worse", "traded"}
    shown = [each for each in comparison.differences if each.scope == Scope() or each.change in differ]
    left = console.width - MEASURE - 3 * VALUE - 8  # 2 characters between columns
    interval = max(VALUE, min(INTERVAL, left))  # takes two lines in a narrow window
    for n, (scope, rows) in enumerate(groupby(shown, key=lambda each: each.scope)):
        table = Table(box=None, pad_edge=False, header_style="dim")  # fixed widths, to align the scopes' tables
        table.add_column("measure", no_wrap=True, width=MEASURE)
        for name in ("first", "second"):
            table.add_column(name, justify="right", no_wrap=True, width=VALUE)
        table.add_column("difference (95 %)", justify="right", width=interval)
        table.add_column("", no_wrap=True, width=VALUE)
        for each in rows:
            table.add_row(*map(Text, _cells(each)), style=STYLES[each.change])
        console.print(Text(f"\n{scope}" if n else str(scope), "bold"))
        console.print(table)
    console.print(Text(f"\n{verdict_sentence(comparison)}"))
    for reason in (*comparison.broken, *comparison.notes):
        console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))


def _cells(each: Difference) -> tuple[str, ...]:
    """Measure, first value, second value, interval of the difference, change."""
    first, second = format_value(each.measure, each.a), format_value(each.measure, each.b)
    interval = "-"
    if each.low is not None and each.high is not None:
        interval = f"{_signed(each.measure, each.low)} .. {_signed(each.measure, each.high)}"
    return each.measure, first, second, interval, each.change


def _signed(measure: str, number: float) -> str:
    """ "+1.2s"; a share in percentage points."""
    if math.isinf(number):
        return "never" if number > 0 else "no longer never"
    if TABLE[measure].unit == "share":
        return format_points(number)
    return f"{'-' if number < 0 else '+'}{format_in_unit(measure, abs(number))}"


def verdict_sentence(comparison: Comparison) -> str:
    """The result in one sentence."""
    if comparison.broken:
        return "The two runs cannot be compared, because:"
    worse, better, traded, same, unknown = (len(comparison.having(change)) for change in STYLES)
    measures = len(comparison.differences)
    if not measures:
        return f"Nothing was compared: neither in a phase nor in the whole run have both runs {MIN_PROMPTS} prompts."
    if not worse and not comparison.decided:
        return (
            f"Whether the second run is worse cannot be told: {unknown} of {measures} measures vary too much by chance."
            " Let the runs last longer, or have more users."
        )
    if worse or better:
        found = f"The second run is worse in {worse} and better in {better} of {measures} measures"
    elif traded:
        found = f"The second run makes fewer attempts and answers fewer prompts in {traded} of {measures} measures"
    else:
        found = f"No difference beyond noise in {same} measures"
    return f"{found}; {unknown} vary too much by chance." if unknown else f"{found}."


def comparison_html(comparison: Comparison, runs: tuple[JudgedRun, JudgedRun], names: tuple[str, str]) -> str:
    """The page: the sentence, all differences, the worse ones first, and both timelines."""
    summaries = [run.judgement for run in runs]
    return render(
        "compare.html.j2",
        overlays(runs, names),
        title=summaries[0].run.title,
        names=names,
        summaries=summaries,
        broken=comparison.broken,
        verdict=exit_code(comparison).name.lower(),
        notes=comparison.notes,
        sentence=verdict_sentence(comparison),
        rows=[
            (str(each.scope), *_cells(each))
            for each in sorted(comparison.differences, key=lambda each: list(STYLES).index(each.change))
        ],
    )
