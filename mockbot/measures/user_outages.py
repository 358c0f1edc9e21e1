"""Measures of users, each of whom asks one prompt after the other. Pure.

A user is down from a prompt that was not good until the end of the next good one (Hauer et al., NSDI 2020).
"""

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.measure import NO_PROMPTS, WHOLE_RUN, Measure
from mockbot.measures.percentiles import ACCURACY, percentile
from mockbot.measures.scope import Selector
from mockbot.measures.values import Value, ratio

_UPTIME: dict[Selector, str] = {"provider": "users have their uptime with all providers together"}
_OUTAGES: dict[Selector, str] = {**WHOLE_RUN, "provider": "users have their outages with all providers together"}


@Measure("share", "high", _UPTIME, one_client=True, shown=("narrow", "seeds"), heading="uptime")
def user_uptime(counted: Counters) -> Value:
    """Share of the users' time in which their last prompt had been good."""
    return ratio(counted.cohort.up, counted.cohort.up + counted.cohort.down, NO_PROMPTS)


@Measure("share", "low", _OUTAGES, one_client=True, shown=("tile",))
def failed_users(counted: Counters) -> Value:
    """Share of the users with a prompt that was never answered."""
    outages = counted.outages()
    return ratio(outages.failed, outages.users, NO_PROMPTS)


@Measure("duration", "low", _OUTAGES, one_client=True, accuracy=ACCURACY, shown=("tile",))
def longest_outage_p95(counted: Counters) -> Value:
    """95th percentile of each user's longest time without a good answer, over the users who were ever down."""
    return percentile(counted.outages().longest, 0.95, "no user had an outage")


MEASURES = (user_uptime, failed_users, longest_outage_p95)
