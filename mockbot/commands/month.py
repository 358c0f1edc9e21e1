"""`mockbot month`: a typical month of a provider as a calendar; with `play` also what its clients would have lost."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from rich.table import Table
from rich.text import Text

from mockbot.errors import UsageError
from mockbot.incidents.typical_month import DAY, HISTORIES, PostedIncident, ProviderName, both_open, incidents, month_of
from mockbot.report.plain_console import PlainConsole
from mockbot.report.progress import progress
from mockbot.simulate.lived_month import LivedMonth, live, outages, weighted_downtime
from mockbot.simulate.month_page import CalendarDay, calendar, month_page
from mockbot.units.formatting import format_percent
from mockbot.units.quantities import parse_share
from mockbot.units.rank import nearest_rank

MONTHS = 300  # that this one is compared with
STYLES = {"": "dim", "none": "", "minor": "yellow", "major": "red", "critical": "bold red"}


@dataclass(frozen=True, slots=True)
class MonthOptions:
    """The command line. `month`: as 2026-03, None: the present one; `second`: the provider to fail over to."""

    provider: ProviderName = "openai"
    second: ProviderName | None = None
    product: str = "api"
    month: str | None = None
    rate: float = 1.0
    seed: int = 1
    play: bool = False
    users: int = 100
    objective: str = "99.9%"
    page: Path | None = None


def month_command(options: MonthOptions, console: PlainConsole) -> None:
    """Print the calendar, and write the page when one is asked for. UsageError for a month that cannot be read."""
    if options.second == options.provider:
        raise UsageError(f"--second {options.second}: is the provider itself; name another one to fail over to")
    start, days = _month(options.month)
    begin, seconds = start.timestamp(), days * DAY
    name = f"{options.provider}, a month like {start:%B %Y}"
    found = _incidents(options.provider, options, start, days)
    other = _incidents(options.second, options, start, days) if options.second else []
    objective = _objective(options.objective)
    lines = [f"seed {options.seed}, rate {options.rate:g}: {len(found)} incidents on its status page"]
    failing = outages(found, options.product, begin, begin + seconds)
    down = weighted_downtime(failing, seconds)
    usual = [_downtime(options, start, days, f"{options.seed}/{n}") for n in range(MONTHS)]
    worse = sum(each < down for each in usual) / MONTHS
    usual_median = format_percent(1 - (nearest_rank(sorted(usual), 0.5) or 0.0), 2)
    kept = "within" if 1 - down >= objective else "below"
    available = format_percent(1 - down, 2)
    lines += [
        f"{len(failing)} of them fail requests of the {options.product}",
        f"availability {available}: {kept} the objective of {options.objective}",
        f"worse than {format_percent(worse)} of {MONTHS} such months (their median: {usual_median})",
    ]
    if options.second:
        one, two, both = both_open(found, other)
        lines.append(
            f"{options.second} has {len(other)} incidents; both are open at once for {both / 3600:.1f} h of "
            f"{one / 3600:.1f} h and {two / 3600:.1f} h"
        )
    drawn = calendar(found, begin, days)
    console.print(Text(name, style="bold"))
    console.print(_grid(drawn, start.weekday()))
    for line in lines:
        console.print(line, highlight=False)
    lived = None
    if options.play:
        with progress(console, "simulating") as report:
            second = outages(other, options.product, begin, begin + seconds)
            lived = live(
                failing,
                second,
                seconds,
                options.users,
                options.seed,
                lambda now, end: report(now, end, f"day {1 + int(now // DAY)}"),
            )
        elsewhere = (
            f"elsewhere is {options.second}" if options.second else "elsewhere nothing fails; --second names a real one"
        )
        lines.append(f"{lived.told}; {elsewhere}")
        console.print(lines[-1], highlight=False)
        console.print(_table(lived))
    if options.page is not None:
        options.page.write_text(month_page(name, lines, drawn, start.weekday(), lived), "utf-8")
        console.print(f"{options.page}: the calendar as a page", highlight=False)


def _month(text: str | None) -> tuple[datetime, int]:
    if text is None:
        return month_of(datetime.now(UTC))
    try:
        return month_of(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise UsageError(f"--month {text}; write a month like 2026-03") from None


def _objective(text: str) -> float:
    try:
        return parse_share(text)
    except ValueError as error:
        raise UsageError(f"--objective {text}: {error}") from None


def _incidents(provider: ProviderName, options: MonthOptions, start: datetime, days: int) -> list[PostedIncident]:
    return incidents(HISTORIES[provider], start, days, options.rate, Random(f"{provider}/{options.seed}"))


def _downtime(options: MonthOptions, start: datetime, days: int, seed: str) -> float:
    drawn = incidents(HISTORIES[options.provider], start, days, options.rate, Random(f"{options.provider}/{seed}"))
    begin = start.timestamp()
    return weighted_downtime(outages(drawn, options.product, begin, begin + days * DAY), days * DAY)


def _grid(days: list[CalendarDay], weekday: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"):
        table.add_column(name, min_width=9)
    cells = [Text()] * weekday + [Text(day.words, style=STYLES[day.worst]) for day in days]
    for start in range(0, len(cells), 7):
        table.add_row(*cells[start : start + 7])
    return table


def _table(lived: LivedMonth) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("clients that", "without an answer", "incidents felt", "prompts lost", "availability"):
        table.add_column(head, justify="left" if head == "clients that" else "right")
    for name, group in lived.groups.items():
        table.add_row(
            name.replace("-", " "), f"{group.down / 60:.0f} min", str(group.felt),
            f"{group.lost:,.0f} of {group.prompts:,.0f}", format_percent(group.answered / group.prompts, 2),
        )  # fmt: skip
    return table
