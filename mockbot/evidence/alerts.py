"""Prompts per slice in, burn rates and paging times out: multi-window, multi-burn-rate alerts. Pure.

    page    the last hour and its last 5 minutes    both at >= 14.4 times the sustainable rate    2 % of 30 days' budget
    page    6 hours and 30 minutes                                    6                           5 %
    ticket  3 days and 6 hours                                        1                          10 %

(Google, The Site Reliability Workbook, ch. 5, table 5-8.) The windows are as long as there, in scenario time, and end
with each slice of the run. A run is shorter than its longest window, so the time before it counts as if prompts had
come at the baseline's rate and all had been good: an outage of a service that was healthy until then. Without a
baseline the windows are cut off at the run's begin, as Prometheus cuts them off where its samples begin.
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
    """A long and a short window, seconds, and the burn rate that both have to reach."""

    long: float
    short: float
    rate: float


HOUR_1 = Alert(1 * HOUR, 5 * MINUTE, 14.4)
HOURS_6 = Alert(6 * HOUR, 30 * MINUTE, 6.0)
DAYS_3 = Alert(72 * HOUR, 6 * HOUR, 1.0)
PAGES = (HOUR_1, HOURS_6)


@dataclass(frozen=True, slots=True)
class _History:
    """`issued[n]`, `bad[n]`: prompts of the first n slices. `before`: good prompts per slice before the run."""

    width: float
    issued: Sequence[int]
    bad: Sequence[int]
    before: float

    def bad_share(self, end: int, seconds: float) -> float:
        """The bad share in the window of so many seconds that ends with slice `end` - 1."""
        slices = max(1, ceil(seconds / self.width))
        start, early = max(0, end - slices), max(0, slices - end)
        issued = self.issued[end] - self.issued[start] + early * self.before
        return (self.bad[end] - self.bad[start]) / issued if issued else 0.0

    def burn_rates(self, alert: Alert, objective: float) -> list[float]:
        """After each slice, the lesser of the burn rates in the alert's two windows."""
        shares = (
            min(self.bad_share(end, alert.long), self.bad_share(end, alert.short)) for end in range(1, len(self.issued))
        )
        return [share / (1 - objective) for share in shares]


def burn(run: RunCounters, groups: Sequence[str], alert: Alert) -> Value:
    """The highest burn rate that both windows of the alert reached together."""
    if (objective := run.scenario.objective) is None:
        return Undefined(NO_OBJECTIVE)
    return Known(max(_history(run, groups).burn_rates(alert, objective), default=0.0))


def time_to_page(run: RunCounters, groups: Sequence[str]) -> Value:
    """From the measured begin of the disturbance until one of the two paging alerts fired."""
    if (objective := run.scenario.objective) is None:
        return Undefined(NO_OBJECTIVE)
    if (begin := run.disturbance.begin) is None:
        return Undefined(NOTHING_WRONG)
    history = _history(run, groups)
    ends = [
        n * history.width
        for alert in PAGES
        for n, rate in enumerate(history.burn_rates(alert, objective), 1)
        if rate >= alert.rate and n * history.width > begin
    ]
    if not ends:
        return Beyond(max(0.0, run.observed_until - begin), "no burn-rate alert would have paged anybody")
    return Known(min(ends) - begin)


def _history(run: RunCounters, groups: Sequence[str]) -> _History:
    series, baseline = run.series, run.disturbance.baseline
    observed = min(series.size, ceil(run.observed_until / series.width))
    issued = [sum(series.issued[group][n] for group in groups if group in series.issued) for n in range(observed)]
    good = [sum(series.good[group][n] for group in groups if group in series.good) for n in range(observed)]
    bad = [asked - well for asked, well in zip(issued, good, strict=True)]
    # Without a baseline nothing is added before the run, so that its windows are cut off there.
    first, last = (0, 0) if baseline is None else series.whole_slices(baseline)
    before = sum(issued[first:last]) / max(1, last - first)
    return _History(series.width, list(accumulate(issued, initial=0)), list(accumulate(bad, initial=0)), before)
