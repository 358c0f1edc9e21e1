"""Would the pager have gone off, and when? The error budget's multi-window, multi-burn-rate alerts. Pure.

    page    the last hour and its last 5 minutes    both at >= 14.4 times the sustainable rate    2 % of 30 days' budget
    page    6 hours and 30 minutes                                    6                           5 %
    ticket  3 days and 6 hours                                        1                          10 %

(Google, The Site Reliability Workbook, ch. 5, table 5-8.) The windows are as long as there, in scenario time, and end
with each slice of the run. A run is shorter than its longest window, so before it as much is taken to have been asked
as in its baseline, and all of it to have been good: that is what these alerts would have seen of such an outage in a
service that was well until then. Without a baseline the windows are cut off at the run's begin, as Prometheus cuts them
off where its samples begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import NamedTuple

from mockbot.evidence.recovery import NOTHING_WRONG
from mockbot.evidence.run_counters import RunCounters
from mockbot.measures.values import Beyond, Known, Undefined, Value

MINUTE, HOUR = 60.0, 3600.0
NO_OBJECTIVE = "the scenario has no objective"


class Alert(NamedTuple):
    """A long window and a short one, seconds, and the burn rate that both have to reach."""

    long: float
    short: float
    rate: float


HOUR_1 = Alert(1 * HOUR, 5 * MINUTE, 14.4)
HOURS_6 = Alert(6 * HOUR, 30 * MINUTE, 6.0)
DAYS_3 = Alert(72 * HOUR, 6 * HOUR, 1.0)
PAGES = (HOUR_1, HOURS_6)


@dataclass(frozen=True, slots=True)
class _History:
    """`issued[n]`, `bad[n]`: prompts of the first n slices. `before`: good ones in each slice before the run."""

    width: float
    issued: Sequence[int]
    bad: Sequence[int]
    before: float

    def share(self, end: int, seconds: float) -> float:
        """The bad share of the last so many seconds before the end of slice `end` - 1."""
        slices = max(1, ceil(seconds / self.width))
        start, early = max(0, end - slices), max(0, slices - end)
        issued = self.issued[end] - self.issued[start] + early * self.before
        return (self.bad[end] - self.bad[start]) / issued if issued else 0.0


def burn(counters: RunCounters, groups: Sequence[str], alert: Alert) -> Value:
    """The highest burn rate that both windows of the alert were at together."""
    if (objective := counters.scenario.objective) is None:
        return Undefined(NO_OBJECTIVE)
    return Known(max(_rates(_history(counters, groups), alert, objective), default=0.0))


def time_to_page(counters: RunCounters, groups: Sequence[str]) -> Value:
    """From the measured begin of what was wrong until one of the two paging alerts went off."""
    if (objective := counters.scenario.objective) is None:
        return Undefined(NO_OBJECTIVE)
    if counters.disturbance.begin is None:
        return Undefined(NOTHING_WRONG)
    history, begin = _history(counters, groups), counters.disturbance.begin
    burn_rates = [(alert, _rates(history, alert, objective)) for alert in PAGES]
    ends = [
        n * history.width
        for alert, rates in burn_rates
        for n, rate in enumerate(rates, 1)
        if rate >= alert.rate and n * history.width > begin
    ]
    if not ends:
        return Beyond(
            max(0.0, counters.seen_until - counters.disturbance.begin), "no burn-rate alert would have paged anybody"
        )
    return Known(min(ends) - begin)


def _rates(history: _History, alert: Alert, objective: float) -> list[float]:
    """After each slice, the rate that both windows are at: the lesser of them."""
    ends = range(1, len(history.issued))
    return [min(history.share(end, alert.long), history.share(end, alert.short)) / (1 - objective) for end in ends]


def _history(counters: RunCounters, groups: Sequence[str]) -> _History:
    series = counters.series
    seen = min(series.size, ceil(counters.seen_until / series.width))
    issued = [sum(series.issued[group][n] for group in groups if group in series.issued) for n in range(seen)]
    good = [sum(series.good[group][n] for group in groups if group in series.good) for n in range(seen)]
    bad = [asked - well for asked, well in zip(issued, good, strict=True)]
    first, last = _calm(counters)
    before = sum(issued[first:last]) / max(1, last - first)
    return _History(series.width, list(accumulate(issued, initial=0)), list(accumulate(bad, initial=0)), before)


def _calm(counters: RunCounters) -> tuple[int, int]:
    """The whole slices of the baseline; none without one."""
    if counters.disturbance.baseline is None:
        return 0, 0
    start, end = counters.disturbance.baseline
    return ceil(start / counters.series.width), int(end / counters.series.width)
