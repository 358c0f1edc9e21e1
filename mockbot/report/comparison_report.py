"""A comparison in, its table on the terminal and its page out. The page has both timelines, one over the other."""

from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockbot.errors import ExitCode
from mockbot.evidence.compare import Change, Comparison, Difference
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.scope import Scope
from mockbot.evidence.verdict import Judgement
from mockbot.measures.catalogue import CATALOGUE
from mockbot.measures.text import format_in_unit, format_value
from mockbot.report.overlays import overlays
from mockbot.report.page import render
from mockbot.report.summarize import summarize

MEASURE, VALUE, INTERVAL = 19, 7, 22  # characters
RANKS: tuple[Change, ...] = ("worse", "better", "same", "unknown")  # on the page, from above
STYLES: dict[Change, str] = {"better": "green", "worse": "bold red", "same": "", "unknown": "dim"}


def exit_code(comparison: Comparison) -> ExitCode:
    """1 where the second run is worse beyond noise, 3 where nothing can be said."""
    if comparison.broken:
        return ExitCode.INCONCLUSIVE
    return ExitCode.FAIL if comparison.worse else ExitCode.PASS


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The whole run, and whatever else differs."""
    told = [each for each in comparison.differences if each.scope == Scope() or each.change in {"better", "worse"}]
    for n, (scope, rows) in enumerate(groupby(told, key=lambda each: each.scope)):
        table = _table(console.width)
        for each in rows:
            cells = (each.measure, *_values(each), interval_words(each), each.change)
            table.add_row(*map(Text, cells), style=STYLES[each.change])
        console.print(Text(f"\n{scope}" if n else str(scope), "bold"))
        console.print(table)
    console.print(Text(f"\n{verdict_words(comparison)}"))
    for reason in (*comparison.broken, *comparison.notes):
        console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))


def _table(width: int) -> Table:
    """As wide for each scope; where the window is narrow the interval takes two lines."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("measure", no_wrap=True, width=MEASURE)
    for name in ("first", "second"):
        table.add_column(name, justify="right", no_wrap=True, width=VALUE)
    left = width - MEASURE - 3 * VALUE - 8  # 2 between columns
    table.add_column("difference (95 %)", justify="right", width=max(VALUE, min(INTERVAL, left)))
    table.add_column("", no_wrap=True, width=VALUE)
    return table


def _values(each: Difference) -> tuple[str, str]:
    return format_value(each.measure, each.a), format_value(each.measure, each.b)


def verdict_words(comparison: Comparison) -> str:
    """One sentence."""
    if comparison.broken:
        return "This comparison says nothing, because:"
    worse = len(comparison.worse)
    better = sum(each.change == "better" for each in comparison.differences)
    if not worse and not better:
        return f"No difference beyond noise in {len(comparison.differences)} measures."
    return f"The second run is worse in {worse} and better in {better} of {len(comparison.differences)} measures."


def interval_words(each: Difference) -> str:
    """ "+1.2s .. +2.3s"; shares in percentage points."""
    if each.low is None or each.high is None:
        return "-"
    return f"{_signed(each.measure, each.low)} .. {_signed(each.measure, each.high)}"


def _signed(measure: str, number: float) -> str:
    sign = "-" if number < 0 else "+"
    if abs(number) == float("inf"):
        return "never" if number > 0 else "no longer never"
    if CATALOGUE[measure].unit == "share":
        return f"{sign}{abs(100 * number):.1f}"
    return f"{sign}{format_in_unit(measure, abs(number))}"


def comparison_html(
    comparison: Comparison,
    runs: tuple[RunEvidence, RunEvidence],
    judgements: tuple[Judgement, Judgement],
    names: tuple[str, str],
) -> str:
    """The page: the sentence, all differences, both timelines."""
    summaries = [summarize(run, judgement) for run, judgement in zip(runs, judgements, strict=True)]
    drawn = overlays(runs, judgements, summaries, names)
    return render(
        "compare.html.j2",
        drawn,
        title=summaries[0].run.title,
        names=names,
        summaries=summaries,
        broken=comparison.broken,
        worse=bool(comparison.worse),
        notes=comparison.notes,
        sentence=verdict_words(comparison),
        rows=[
            (str(each.scope), each.measure, *_values(each), interval_words(each), each.change)
            for each in sorted(comparison.differences, key=lambda each: RANKS.index(each.change))
        ],
    )
