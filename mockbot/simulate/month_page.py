"""A month of incidents in, its calendar and the page of it out: one file that works without a network."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

from mockbot.incidents.typical_month import DAY, Impact, PostedIncident, both_open
from mockbot.report.page import render_plain
from mockbot.simulate.lived_month import SHARES, LivedMonth
from mockbot.units.quantities import duration_text

IMPACTS: tuple[Impact, ...] = get_args(Impact)  # the least first


class CalendarDay(NamedTuple):
    """A day of the month: how long an incident was open, and the worst impact of those; "" when none was."""

    number: int
    minutes: float
    worst: Impact | str

    @property
    def words(self) -> str:
        """As "12 2h05m"; a quiet day is its number only."""
        lasts = f" {duration_text(60 * max(1, round(self.minutes)))}" if self.worst else ""
        return f"{self.number:>2}{lasts}"


def calendar(found: Sequence[PostedIncident], begin: float, days: int) -> list[CalendarDay]:
    """One entry a day; an incident beyond midnight counts on both days, a minute of several incidents counts once."""
    drawn = []
    for number in range(days):
        start, end = begin + number * DAY, begin + (number + 1) * DAY
        here = [each for each in found if each.at < end and each.at + each.minutes * 60 > start]
        worst = max((each.impact for each in here), key=IMPACTS.index, default="")
        drawn.append(CalendarDay(number + 1, _minutes_open(here, start, end), worst))
    return drawn


def _minutes_open(found: Sequence[PostedIncident], start: float, end: float) -> float:
    cut = []
    for each in found:
        first, last = max(each.at, start), min(each.at + each.minutes * 60, end)
        cut.append(each._replace(at=first, minutes=(last - first) / 60))
    return both_open(cut, [])[0] / 60


def month_page(
    name: str, lines: Sequence[str], days: Sequence[CalendarDay], weekday: int, lived: LivedMonth | None
) -> str:
    """The same bytes for the same month. `weekday`: of its first day, Monday is 0."""
    values = {
        "title": name,
        "lines": lines,
        "days": days,
        "blank": weekday,
        "impacts": IMPACTS,
        "lived": lived,
        "shares": SHARES,
    }
    return render_plain("month.html.j2", **values)
