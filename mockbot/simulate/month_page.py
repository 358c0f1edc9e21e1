"""A month of incidents in, its calendar and the page of it out: one file that works without a network."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

from mockbot.incidents.typical_month import DAY, Impact, PostedIncident
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
    """One entry a day; an incident beyond midnight counts on both days, minutes of several add up."""
    drawn = []
    for number in range(days):
        start, end = begin + number * DAY, begin + (number + 1) * DAY
        here = [(each, min(each.at + each.minutes * 60, end) - max(each.at, start)) for each in found]
        here = [(each, seconds) for each, seconds in here if seconds > 0]
        worst = max((each.impact for each, _ in here), key=IMPACTS.index, default="")
        drawn.append(CalendarDay(number + 1, sum(seconds for _, seconds in here) / 60, worst))
    return drawn


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
