"""Measures of prompts: how many were answered, in time, and whether all groups fared alike. Pure.

A prompt is *good* when it is answered within the scenario's `slo` of its intended start. Numerator and denominator are
always the same prompts, so that no share leaves 0..1. Fairness: Jain 1984.
"""

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.measure import NO_PROMPTS, Measure
from mockbot.measures.values import Known, Undefined, Value, ratio


@Measure("count", None, shown=("narrow",), heading="prompts")
def prompts(counted: Counters) -> Value:
    """Prompts that were asked (requests, in the scope of a provider)."""
    return Known(counted.cohort.prompts * counted.run.weight)


@Measure("share", "high", one_client=True, shown=("compare",))
def answered(counted: Counters) -> Value:
    """Share of the prompts that were answered, however late."""
    return ratio(counted.cohort.answered, counted.cohort.prompts, NO_PROMPTS)


@Measure("share", "high", one_client=True, shown=("narrow", "seeds", "compare"), heading="good")
def availability(counted: Counters) -> Value:
    """Share of the prompts that were answered within the scenario's `slo`."""
    return ratio(counted.cohort.good, counted.cohort.prompts, NO_PROMPTS)


@Measure("number", "high", {"group": "compares groups"}, shown=("tile",))
def fairness(counted: Counters) -> Value:
    """Jain's index of the groups' answered shares: 1 when all are equal, 1/n when one of n groups was answered."""
    shares = [cohort.answered / cohort.prompts for cohort in counted.by_group() if cohort.prompts]
    if len(shares) < 2:
        return Undefined("compares groups, and here is only one")
    return ratio(sum(shares) ** 2, len(shares) * sum(share**2 for share in shares), "no group was answered")


MEASURES = (prompts, answered, availability, fairness)
