"""Measures of an objective: how fast its error budget is spent, and when somebody is paged. Pure.

The alerts look at two windows at a time:

    page    the last hour and its last 5 minutes    both at >= 14.4 times the sustainable rate    2 % of 30 days' budget
    page    6 hours and 30 minutes                                    6                           5 %
    ticket  3 days and 6 hours                                        1                          10 %

(Google, The Site Reliability Workbook, ch. 5, table 5-8.) The windows are as long as there, in scenario time, and end
with each slice of the run. A run is shorter than its longest window, so the time before it counts as if prompts had
come at the baseline's rate and all had been good: an outage of a service that was healthy until then. Without a
baseline the windows are cut off at the run's begin, as Prometheus cuts them off where its samples begin.
"""

from collections.abc import Iterator
from itertools import accumulate
from math import ceil
from typing import NamedTuple

from mockbot.measures.counter_protocols import Counters, Part
from mockbot.measures.measure import NO_PROMPTS, WHOLE_RUN, Measure
from mockbot.measures.outages import WorstOutage
from mockbot.measures.scope import Selector
from mockbot.measures.values import Beyond, Known, Undefined, Value, ratio

MINUTE, HOUR = 60.0, 3600.0
MONTH = 30 * 24 * HOUR  # the usual period of an error budget
NO_OBJECTIVE = "the scenario has no objective"
_UNDEFINED: dict[Selector, str] = {
    **WHOLE_RUN,
    "provider": "an objective is about prompts, which may visit several providers",
}


class Alert(NamedTuple):
    """A long and a short window, seconds, and the burn rate that both have to reach."""

    long: float
    short: float
    rate: float


HOUR_1 = Alert(1 * HOUR, 5 * MINUTE, 14.4)
HOURS_6 = Alert(6 * HOUR, 30 * MINUTE, 6.0)
DAYS_3 = Alert(72 * HOUR, 6 * HOUR, 1.0)
PAGES = (HOUR_1, HOURS_6)


@Measure("number", "low", shown=("tile",))
def burn_rate(counted: Counters) -> Value:
    """Share of bad prompts over the share that the `objective` allows; 1 spends the budget exactly in its period."""
    if (objective := counted.run.objective) is None:
        return Undefined(NO_OBJECTIVE)
    return ratio((counted.cohort.prompts - counted.cohort.good) / (1 - objective), counted.cohort.prompts, NO_PROMPTS)


@Measure("share", "low", shown=("tile",))
def budget_spent(counted: Counters) -> Value:
    """Share of 30 days' error budget that the run spent; at most 100%."""
    rate = burn_rate.value(counted)
    return Known(min(1.0, rate.number * counted.seconds / MONTH)) if isinstance(rate, Known) else rate


def _burn(name: str, text: str, alert: Alert) -> Measure:
    """The highest burn rate that both windows of the alert reached together. `text`: of its windows."""

    def formula(counted: Counters) -> Value:
        if (objective := counted.run.objective) is None:
            return Undefined(NO_OBJECTIVE)
        return Known(max((rate for _, rate in _burn_rates(counted, alert, objective)), default=0.0))

    text = f"Highest burn rate that {text}."
    return Measure("number", "low", _UNDEFINED, shown=("tile",), name=name, text=text, formula=formula)


@Measure("duration", "low", _UNDEFINED, shown=("tile",), sentence="paged after")
@WorstOutage
def time_to_page(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its begin until one of the paging alerts fired."""
    if (objective := counted.run.objective) is None:
        return Undefined(NO_OBJECTIVE)
    outage = part.outages[index]
    until = min(outage.until, counted.run.observed_until)
    ends = [
        end
        for alert in PAGES
        for end, rate in _burn_rates(counted, alert, objective)
        if rate >= alert.rate and outage.begin < end <= until
    ]
    if not ends:
        return Beyond(max(0.0, until - outage.begin), "no burn-rate alert would have paged anybody")
    return Known(min(ends) - outage.begin)


def _burn_rates(counted: Counters, alert: Alert, objective: float) -> Iterator[tuple[float, float]]:
    """(end of a slice, burn rate) for each observed slice: the lesser of the rates in the alert's two windows."""
    slices = counted.slices()
    observed = min(len(slices.issued), ceil(counted.run.observed_until / slices.width))
    # Without a baseline nothing is added before the run, so that its windows are cut off there.
    first, last = slices.baseline or (0, 0)
    before = sum(slices.issued[first : min(last, observed)]) / max(1, last - first)  # prompts per slice, all good
    issued, good = (list(accumulate(counts[:observed], initial=0)) for counts in (slices.issued, slices.good))

    def bad_share(end: int, seconds: float) -> float:
        """The bad share in the window of so many seconds that ends with slice `end` - 1."""
        length = max(1, ceil(seconds / slices.width))
        start, early = max(0, end - length), max(0, length - end)
        asked = issued[end] - issued[start]
        total = asked + early * before
        return (asked - (good[end] - good[start])) / total if total else 0.0

    for end in range(1, observed + 1):
        yield end * slices.width, min(bad_share(end, alert.long), bad_share(end, alert.short)) / (1 - objective)


MEASURES = (
    burn_rate,
    budget_spent,
    _burn("burn_1h", "an hour and its last 5 minutes reached together; pages at 14.4", HOUR_1),
    _burn("burn_6h", "6 hours and their last 30 minutes reached together; pages at 6", HOURS_6),
    _burn("burn_3d", "3 days and their last 6 hours reached together; a ticket at 1", DAYS_3),
    time_to_page,
)
