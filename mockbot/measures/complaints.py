"""Measures of what users say in public, beside what the status page says. Pure.

A curve of complaints, such as Downdetector's, rises before the status page admits anything: on 10 April 2024 from 74 in
15 minutes to 303 at 17:37, 19 minutes before the first post (AtLarge's notebook, next_anchors.md §3.4).
"""

from collections.abc import Iterator

from mockbot.measures.counter_protocols import Counters, Outage, Part
from mockbot.measures.measure import WHOLE_RUN, Measure
from mockbot.measures.outages import NOTHING_WRONG
from mockbot.measures.scope import Selector
from mockbot.measures.values import Known, Undefined, Value

NOBODY = Undefined("no group of the scenario complains")
_SCOPES: dict[Selector, str] = {**WHOLE_RUN, "provider": "users complain about their prompts, not about one provider"}


@Measure("count", "low", _SCOPES, shown=("tile",))
def complaints(counted: Counters) -> Value:
    """Complaints in public about prompts that were not answered."""
    if not counted.run.complains:
        return NOBODY
    return Known(counted.run.weight * sum(part.course.complaints.total() for part in counted.parts()))


@Measure("count", "low", _SCOPES, shown=("tile",))
def complaints_before_acknowledged(counted: Counters) -> Value:
    """Complaints made in an outage before a status page admitted it, in all outages together."""
    if not counted.run.complains:
        return NOBODY
    found = [
        sum(count for second, count in part.course.complaints.items() if outage.begin <= second < _admitted(outage))
        for part, _, outage in _outages(counted)
    ]
    return Known(counted.run.weight * sum(found)) if found else Undefined(NOTHING_WRONG)


@Measure("number", "low", _SCOPES, shown=("tile",))
def unacknowledged_user_minutes(counted: Counters) -> Value:
    """Minutes of users without good answers in an outage before a status page admitted it, of all users together."""
    if not counted.run.has_status_page:
        return Undefined("the scenario has no status page")
    found = [part.course.of_outage(index).unacknowledged for part, index, _ in _outages(counted)]
    return Known(counted.run.weight * sum(found) / 60e6) if found else Undefined(NOTHING_WRONG)


def _outages(counted: Counters) -> Iterator[tuple[Part, int, Outage]]:
    for part in counted.parts():
        for index, outage in enumerate(part.outages):
            yield part, index, outage


def _admitted(outage: Outage) -> float:
    return outage.until if outage.acknowledged is None else outage.acknowledged


MEASURES = (complaints, complaints_before_acknowledged, unacknowledged_user_minutes)
