"""Measures of what clients ask for and what comes of it. Pure."""

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.measure import NO_PROMPTS, OF_PROMPTS, OF_PROVIDERS, Measure
from mockbot.measures.values import Undefined, Value, ratio

NO_COST = "no baseline shows what an answer costs the providers"


@Measure("number", "low", OF_PROMPTS, one_client=True, shown=("narrow", "seeds", "compare"), heading="tries")
def attempts_per_prompt(counted: Counters) -> Value:
    """Requests made for a prompt, whenever they were made."""
    return ratio(counted.cohort.attempts, counted.cohort.prompts, NO_PROMPTS)


@Measure("number", "low", OF_PROMPTS, shown=("tile",), sentence="attempts per prompt issued")
def amplification(counted: Counters) -> Value:
    """Requests sent over prompts issued in the same time."""
    if not counted.cohort.sent:
        return Undefined("no attempt is on record")
    return ratio(counted.cohort.sent, counted.cohort.prompts, NO_PROMPTS)


@Measure("rate", "high", shown=("column", "seeds"), heading="goodput")
def goodput(counted: Counters) -> Value:
    """Good answers per second, by when they were complete."""
    return ratio(counted.cohort.good_done * counted.run.weight, counted.seconds, "this time was not observed")


@Measure("share", "high", {**OF_PROVIDERS, "provider": "what is asked of one provider depends on the others"})
def efficiency(counted: Counters) -> Value:
    """Goodput over the demand or over the providers' capacity, whichever is less."""
    cost = counted.run.service_time()
    if cost is None or not counted.work.seconds:
        return Undefined(NO_COST)
    weight, capacity = counted.run.weight, counted.work.capacity / cost
    demand = counted.cohort.prompts * weight
    return ratio(counted.cohort.good_done * weight, min(demand, capacity), "there was no demand, or no capacity")


MEASURES = (attempts_per_prompt, amplification, goodput, efficiency)
